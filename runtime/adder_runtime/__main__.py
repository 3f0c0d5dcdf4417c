"""`python -m adder_runtime` is `adder-infer`."""

from adder_runtime.cli import main

main()
