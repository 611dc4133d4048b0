"""The matrices: loaded, checked, compiled, compared, and harvested from the published wheels."""
