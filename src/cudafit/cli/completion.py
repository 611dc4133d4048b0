"""`cudafit completion`."""

import click

from cudafit.cli.common import common_options, write
from cudafit.completion.words import SHELLS, script


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@common_options
def command(shell: str) -> int:
    """Print what makes a shell complete the words after `cudafit`: commands, options, packages, findings, GPUs, files.

    \b
    bash        in ~/.bashrc:  eval "$(cudafit completion bash)"
    zsh         in ~/.zshrc, after compinit:  eval "$(cudafit completion zsh)"
    fish        in ~/.config/fish/config.fish:  cudafit completion fish | source
    powershell  in $PROFILE:  cudafit completion powershell | Out-String | Invoke-Expression
    """
    write(script(shell))
    return 0
