"""`python -m adder_runtime` is `adder-infer`."""

from adder_runtime.answering import main

main()
