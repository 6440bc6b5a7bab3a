"""Shapes: annotations of arrays by axis, which cost a program nothing where nobody checks them."""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or "jaxtyping" in sys.modules:
    from jaxtyping import Bool, Float, Float32, Int, Int64, UInt8, UInt16, UInt64
else:

    class _Array:
        """Annotation that keeps the array's type alone: loading jaxtyping takes a tenth of a fresh `weld inspect`."""

        def __class_getitem__(cls, item: tuple[Any, str]) -> Any:
            return item[0]

    Bool = Float = Float32 = Int = Int64 = UInt8 = UInt16 = UInt64 = _Array

__all__ = ["Bool", "Float", "Float32", "Int", "Int64", "UInt8", "UInt16", "UInt64"]
