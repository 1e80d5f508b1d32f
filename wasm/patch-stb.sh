#!/bin/sh
# Copies stb_image.h, and stb_image_write.h for the tests, into a folder: patch-stb.sh FROM FOLDER. Checks that later versions
# have and Debian's may lack are put in on the way; a version that has them stays as it is.
#
# What is trusted: the files of libstb-dev, which apt has checked by the archive's signature when it installed them, or those of STB_DIR,
# whose owner chose them. The versions met so far are listed; others are taken with a note, so that an update does not slip in unseen.
set -eu

met="
91f435e0fc6a620018b878b9859c74dff60d28046f87e649191ad6f35a98c722 0.0~git20220908.8b5f1f3+ds-1 stb_image.h
594c2fe35d49488b4382dbfaec8f98366defca819d916ac95becf3e75f4200b3 0.0~git20241109.5c20573+ds-1 stb_image.h
cbd5f0ad7a9cf4468affb36354a1d2338034f2c12473cf1a8e32053cb6914a05 both stb_image_write.h
"
for name in stb_image.h stb_image_write.h; do
  printf '%s' "$met" | grep -q "^$(sha256sum <"$1/$name" | cut -d' ' -f1) " || echo "stb: $1/$name is none of this script's list; taken as it is." >&2
done

mkdir -p "$2"
cp "$1/stb_image_write.h" "$2"
# A Huffman table of a JPEG may claim more than 256 codes, which would be written past its end (fixed in stb_image 2.28).
# A chunk of a PNG may claim two gigabytes, which would be taken before it is looked whether they are there; pictures come from memory here.
# A BMP may claim a palette of fewer than no colours, and a pixel a colour beyond its palette, in a PNG too: what lay in memory would be drawn.
sed -e 's|^\( *\)L -= 17;|\1if (n > 256) return stbi__err("bad DHT header","Corrupt JPEG");\n&|' \
  -e 's|^\( *\)if ((int)(ioff + c.length) < (int)ioff) return 0;|\1if (c.length > (stbi__uint32) (s->img_buffer_end - s->img_buffer)) return stbi__err("outofdata","Corrupt PNG");\n&|' \
  -e 's/psize == 0 || psize > 256/psize <= 0 || psize > 256/' \
  -e 's/stbi_uc pal\[256\]\[4\];/stbi_uc pal[256][4]={{0}};/' -e 's/stbi_uc palette\[1024\],/stbi_uc palette[1024]={0},/' \
  "$1/stb_image.h" >"$2/stb_image.h"
