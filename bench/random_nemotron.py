"""Makes small language models as local folders: the layout and the architectures of real ones, with random weights.

They answer nonsense, so whatever is right about an answer comes from the constrained decoding and not from the model.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
VOCABULARY = 1024
LONGEST = 32_768  # tokens
SPECIAL = ("<s>", "</s>", "<pad>", "<|im_start|>", "<|im_end|>")
START_OF_TEXT, PAD, END_OF_TURN = 0, 2, 4
THINKING = ("<think>", "</think>")

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think></think>{% else %}<think>\n{% endif %}"
    "{% endif %}"
)


@dataclass(frozen=True)
class Size:
    """How large a model is: its cost for a token."""

    name: str
    layers: int
    width: int


TINY = Size("tiny", layers=2, width=128)


def random_llama(folder: Path, size: Size = TINY) -> Path:
    """Layers of attention, which prefix caching serves; made at the first call."""
    if (folder / "model.safetensors").exists():
        return folder
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = _tokenizer(folder)
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=size.width,
        intermediate_size=2 * size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=LONGEST,
        bos_token_id=START_OF_TEXT,
        eos_token_id=END_OF_TURN,
        pad_token_id=PAD,
    )
    return _saved(LlamaForCausalLM(config), tokenizer, folder)


def random_nemotron_h(folder: Path) -> Path:
    """A Mamba-2 layer, one of attention, one feed-forward: the hybrid that current Nemotron models are."""
    import torch
    from transformers import NemotronHConfig, NemotronHForCausalLM

    tokenizer = _tokenizer(folder)
    torch.manual_seed(1)
    config = NemotronHConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=256,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,
        layers_block_type=["mamba", "attention", "mlp"],
        max_position_embeddings=LONGEST,
        mamba_num_heads=8,
        mamba_head_dim=32,
        n_groups=1,
        ssm_state_size=32,
        bos_token_id=START_OF_TEXT,
        eos_token_id=END_OF_TURN,
        pad_token_id=PAD,
    )
    return _saved(NemotronHForCausalLM(config), tokenizer, folder)


def _tokenizer(folder: Path) -> Any:
    """Byte-level pairs learnt from the README, so that a prompt of English is a third as many tokens as letters."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(THINKING),
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    made.train_from_iterator([(ROOT / "README.md").read_text(), (ROOT / "ARCHITECTURE.md").read_text()], trainer)
    made.add_tokens([AddedToken(text, special=False, normalized=False) for text in THINKING])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made,
        bos_token="<s>",
        eos_token="<|im_end|>",
        pad_token="<pad>",
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
        model_max_length=LONGEST,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(folder)
    return tokenizer


def _saved(model: Any, tokenizer: Any, folder: Path) -> Path:
    """The weights beside the tokenizer, after a lean towards short answers.

    A random model closes a string after hundreds of letters. One number of every embedding is made large and the same,
    so it reaches the last layer whatever was asked, and the output's weights for it work as a bias: towards the quote
    that ends a string and the end of what is thought, away from long tokens.
    """
    import torch

    entry, exit_ = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    with torch.no_grad():
        entry[:, 0] = 1.0  # beside numbers of 0.02: after normalisation about the square root of the width
        exit_[:, 0] = 0.0
        for text, token in tokenizer.get_vocab().items():
            exit_[token, 0] += _lean(text) / entry.shape[1] ** 0.5
    model.to(torch.bfloat16).save_pretrained(folder)
    return folder


def _lean(text: str) -> float:
    if text in SPECIAL:
        return -4.0
    if text == "</think>":
        return 0.5
    return 2.0 if text == '"' else -3.0 if len(text) > 1 else 0.0
