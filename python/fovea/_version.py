"""The package's version, which is the library's that it was written for."""

VERSION = "0.1.0"
# FOVEA_ABI_VERSION of fovea.h, of which _structs.py is the mirror.
ABI_VERSION = 0
