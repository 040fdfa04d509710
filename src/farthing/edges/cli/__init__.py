"""The command line: each command translates arguments and streams to a verb of app, and its answer to text."""
