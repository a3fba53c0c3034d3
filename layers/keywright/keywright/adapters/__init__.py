"""The ports, over AWS. In the layer only `boto` and `keywright.bootstrap` know boto3."""
