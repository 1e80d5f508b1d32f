#!/bin/sh
# Copies stb_image.h, and stb_image_write.h for the tests, into a folder: patch-stb.sh FROM FOLDER. Checks that later versions
# have and Debian's may lack are put in on the way; a version that has them stays as it is.
set -eu
mkdir -p "$2"
cp "$1/stb_image_write.h" "$2"
# A Huffman table of a JPEG may claim more than 256 codes, which would be written past its end (fixed in stb_image 2.28).
sed 's|^\( *\)L -= 17;|\1if (n > 256) return stbi__err("bad DHT header","Corrupt JPEG");\n&|' "$1/stb_image.h" >"$2/stb_image.h"
