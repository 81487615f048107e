from kit.migration_environment import run

run()
