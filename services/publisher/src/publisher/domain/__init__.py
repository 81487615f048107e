"""What the publisher knows: publications, their states, and what each answer of a platform means. No I/O."""
