"""Makes `python -m devstack` the same as the console script."""

from devstack.cli import main

if __name__ == "__main__":
    main()
