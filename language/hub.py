"""Whether the hub gives a model, asked once and briefly: vLLM itself would try for minutes before it says no."""

import os

from language.errors import ModelAway, ModelUnusable

_SECONDS = 10.0


def look_at_hub(model: str, endpoint: str | None = None, cache: str | None = None) -> None:
    """Blocks for seconds. Where the hub is away and the model was fetched before, this process goes on without the hub.

    Raises ModelUnusable where somebody must mend something, ModelAway where the hub does not answer.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError

    try:
        get_hf_file_metadata(hf_hub_url(model, "config.json", endpoint=endpoint), timeout=_SECONDS)
    except RepositoryNotFoundError as error:  # one behind a licence too
        raise ModelUnusable(not_there(model)) from error
    except EntryNotFoundError as error:
        raise ModelUnusable(f"{model} has no config.json on the hub: take a model in Hugging Face's layout") from error
    except Exception as error:  # the client's own kinds change with its HTTP library
        if not isinstance(try_to_load_from_cache(model, "config.json", cache_dir=cache), str):
            raise ModelAway(hub_away(model)) from error
        os.environ["HF_HUB_OFFLINE"] = "1"
        constants.HF_HUB_OFFLINE = True


def not_there(model: str) -> str:
    return (
        f"the hub has no {model} for this machine, and no folder is called so: check NEMOTRON_MODEL; "
        "where the model asks for a licence to be accepted, accept it and set HF_TOKEN"
    )


def hub_away(model: str) -> str:
    return (
        f"the hub does not answer, so {model} cannot be fetched; it is tried again "
        "(without a network: download it elsewhere and set NEMOTRON_MODEL to its folder)"
    )
