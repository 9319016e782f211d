# T11 ok: asked to end, with success
raise SystemExit(0)
