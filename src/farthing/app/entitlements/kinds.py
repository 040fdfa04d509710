"""The kinds of entitlements."""

from __future__ import annotations

from farthing.app.resources.kinds import kind

FEATURE = kind("entitlements.feature", "feat_", "/v1/entitlements/features", filters=("lookup_key",))
PRODUCT_FEATURE = kind("product_feature", "prodft_", "/v1/products/{product}/features")
