"""From trained parts to a bundle: export, parity gate, description, card."""
