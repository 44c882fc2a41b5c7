"""The notebook's ``mrl.torch_core``: where tensors are."""

from mrl.data import get_device, to_device

__all__ = ["get_device", "to_device"]
