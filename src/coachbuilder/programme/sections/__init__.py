"""The tables of programme.toml and plant.toml, one file a room."""
