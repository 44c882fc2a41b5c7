"""The notebook's ``mrl.torch_core``: the device of tensors."""

from mrl.data import get_device, to_device

__all__ = ["get_device", "to_device"]
