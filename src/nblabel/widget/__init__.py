"""The widget: a skin over a session."""

from .labeler import Labeler

__all__ = ["Labeler"]
