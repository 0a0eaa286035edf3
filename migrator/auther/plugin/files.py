"""The better-auth plugin as `migrator import plugin` writes it out."""

from importlib.resources import files as resources

PLUGIN = "legacy-passwords.ts"


def files() -> dict[str, str]:
    """Give the plugin's source.

    Returns:
        The text of each file by its path relative to the output folder.
    """
    source = resources("migrator.auther.plugin").joinpath(PLUGIN)
    return {PLUGIN: source.read_text(encoding="utf-8")}
