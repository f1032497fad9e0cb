#!/usr/bin/env python3
"""Makes the fonts of golden/, whose glyphs are known to the pixel.

usage: make_fonts.py    (needs fontTools and Pillow)

squares.ttf   1000 units to the em; U+3042 and U+65E5 are full squares from the baseline to 800, 1000 wide
pictures.ttf  the same em; U+1F600 is a picture of 32 x 32 red pixels from the baseline up, 1000 wide
"""

import io
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import newTable
from fontTools.ttLib.tables.sbixGlyph import Glyph
from fontTools.ttLib.tables.sbixStrike import Strike
from PIL import Image

FOLDER = Path(__file__).parent / "golden"


def square():
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for point in ((100, 800), (900, 800), (900, 0)):
        pen.lineTo(point)
    pen.closePath()
    return pen.glyph()


def build(name, family, characters, glyph):
    names = [".notdef", *(f"u{code:X}" for code in characters)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({code: f"u{code:X}" for code in characters})
    builder.setupGlyf({each: glyph() for each in names})
    builder.setupHorizontalMetrics({each: (1000, 100) for each in names})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, sTypoDescender=-200, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    builder.setupHead(unitsPerEm=1000, created=0, modified=0)
    return builder


def main():
    FOLDER.mkdir(exist_ok=True)
    builder = build("squares.ttf", "Fovea Squares", (0x3042, 0x65E5), square)
    builder.font.recalcTimestamp = False
    builder.save(FOLDER / "squares.ttf")

    builder = build("pictures.ttf", "Fovea Pictures", (0x1F600,), square)
    png = io.BytesIO()
    Image.new("RGBA", (32, 32), (255, 0, 0, 255)).save(png, "PNG")
    strike = Strike(ppem=32, resolution=72)
    strike.glyphs["u1F600"] = Glyph(glyphName="u1F600", graphicType="png ", imageData=png.getvalue(),
                                    originOffsetX=0, originOffsetY=0)
    for name in builder.font.getGlyphOrder():
        strike.glyphs.setdefault(name, Glyph(glyphName=name))
    table = newTable("sbix")
    table.version, table.flags, table.numStrikes = 1, 1, 1
    table.strikes = {32: strike}
    builder.font["sbix"] = table
    builder.font.recalcTimestamp = False
    builder.save(FOLDER / "pictures.ttf")


main()
