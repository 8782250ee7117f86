"""How the names of tags are spelt where the cloud keeps them among other things."""

from __future__ import annotations

IMAGE_LABEL = "gcelib-label-"
"""What a label's key begins with among the properties of an image, which has many of its own."""
