"""The commands, one module each, named like the command; `mrl.cli.app` imports a module when its command runs."""
