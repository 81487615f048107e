"""What Signoff's services say to each other: events, versions, topology. No I/O."""
