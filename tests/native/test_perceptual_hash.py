"""A hash that a copy keeps and another picture does not."""

import io

import pytest
from PIL import Image, ImageEnhance
from scenes import bits_between, scene

from mediabox.native.analysers.perceptual_hash import perceptual_hashes

SEEDS = range(12)
SAME_BITS, OTHER_BITS = 6, 10


def again(image: Image.Image, *, quality: int) -> Image.Image:
    held = io.BytesIO()
    image.save(held, "JPEG", quality=quality)
    return Image.open(io.BytesIO(held.getvalue())).convert("RGB")


def cropped(image: Image.Image) -> Image.Image:
    width, height = image.size
    return image.crop((width * 3 // 200, height * 3 // 200, width - width * 3 // 200, height - height * 3 // 200))


CHANGES = {
    "re-encoded": lambda image: again(image, quality=35),
    "half the size": lambda image: image.reduce(2),
    "an odd size": lambda image: image.resize((233, 171), Image.Resampling.LANCZOS),
    "3 % cropped": cropped,
    "12 % brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.12),
    "grey": lambda image: image.convert("L"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_stays_within_six_bits(change: str) -> None:
    far = [
        bits_between(perceptual_hashes(scene(seed=seed))[0], perceptual_hashes(CHANGES[change](scene(seed=seed)))[0])
        for seed in SEEDS
    ]

    assert max(far) <= SAME_BITS


def test_other_pictures_are_more_than_ten_bits_away() -> None:
    hashes = [perceptual_hashes(scene(seed=seed)) for seed in SEEDS]

    nearest = min(
        bits_between(hashes[one][0], turned)
        for one in SEEDS
        for other in SEEDS
        if one != other
        for turned in hashes[other]
    )

    assert nearest > OTHER_BITS


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_knows_the_hash_of_each_rotation_exactly(turn: int) -> None:
    clockwise = (None, Image.Transpose.ROTATE_270, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_90)[turn]
    square = scene(320, 320, seed=3)  # square, so that resizing does not differ by a rounding
    assert clockwise is not None

    turned = perceptual_hashes(square.transpose(clockwise))[0]

    assert bits_between(perceptual_hashes(square)[turn], turned) <= 1


def test_rotations_of_oblong_pictures_stay_within_six_bits() -> None:
    for seed in SEEDS:
        hashes = perceptual_hashes(scene(seed=seed))
        turned = perceptual_hashes(scene(seed=seed).transpose(Image.Transpose.ROTATE_270))
        assert bits_between(hashes[1], turned[0]) <= SAME_BITS
        assert bits_between(hashes[0], turned[3]) <= SAME_BITS


@pytest.mark.parametrize(
    "image", [Image.new("RGB", (300, 200)), Image.new("L", (300, 200), 200), Image.new("RGB", (1, 1), 77)]
)
def test_flat_pictures_have_no_hash(image: Image.Image) -> None:
    assert perceptual_hashes(image) == ()


def test_hashes_are_unsigned_and_64_bit() -> None:
    hashes = perceptual_hashes(scene())

    assert len(hashes) == 4
    assert all(0 <= one < 2**64 for one in hashes)
