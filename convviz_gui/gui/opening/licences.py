"""Licences in words: what they are called and whether they allow everything."""

from __future__ import annotations

_WORDS = {
    "apache-2.0": ("Apache 2.0", ""),
    "mit": ("MIT", ""),
    "bsd-3-clause": ("BSD 3-Clause", ""),
    "bsd-2-clause": ("BSD 2-Clause", ""),
    "cc-by-4.0": ("CC BY 4.0", "name the authors"),
    "cc-by-sa-4.0": ("CC BY-SA 4.0", "share alike"),
    "cc-by-nc-4.0": ("CC BY-NC 4.0", "not for commercial use"),
    "cc-by-nc-sa-4.0": ("CC BY-NC-SA 4.0", "not for commercial use"),
    "cc-by-nc-nd-4.0": ("CC BY-NC-ND 4.0", "not for commercial use"),
    "dinov3-license": ("DINOv3", "Meta's own terms"),
    "seer-license": ("SEER", "not for commercial use"),
    "fair-noncommercial-research-license": ("FAIR research", "for research, not for commercial use"),
    "sapiens2-license": ("Sapiens 2", "Meta's own terms"),
    "https://github.com/facebookresearch/SWAG/blob/main/LICENSE": ("SWAG", "not for commercial use"),
    "apple-ascl": ("Apple sample", "Apple's own terms for sample code"),
    "apple-amlr": ("Apple research", "for research only"),
    "cvnets-license": ("CVNets", "Apple's own terms"),
    "fastvit-license": ("FastViT", "Apple's own terms"),
    "mobileone-license": ("MobileOne", "Apple's own terms"),
    "nvidia-open-model-license": ("NVIDIA open", "NVIDIA's own terms"),
    "qwen-community-1.0": ("Qwen community", "Alibaba's own terms"),
    "gemma": ("Gemma", "Google's own terms"),
}


def short(licence: str) -> str:
    """What the column of the list says: "apache-2.0" → "Apache 2.0"."""
    return _WORDS[licence][0] if licence in _WORDS else licence


def sentence(licence: str) -> str:
    """ "cc-by-nc-4.0" → "CC BY-NC 4.0: not for commercial use"; "" → "not stated"."""
    if not licence:
        return "not stated by the library"
    name, limit = _WORDS.get(licence, (licence, ""))
    return f"{name}: {limit}" if limit else name
