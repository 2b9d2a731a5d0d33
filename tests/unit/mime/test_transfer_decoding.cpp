// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "base/random.hpp"
#include "mime/body_encoding.hpp"
#include "mime/transfer_decoding.hpp"

namespace syncline::mime {
namespace {

struct Decoded {
  std::string octets;
  Defects defects;
};

Decoded decode(TransferEncoding encoding, std::string_view text, std::size_t piece) {
  TransferDecoder decoder(encoding);
  Decoded out;
  for (std::size_t at = 0; at < text.size(); at += piece) decoder.feed(text.substr(at, piece), out.octets);
  decoder.finish(out.octets);
  out.defects = decoder.defects();
  return out;
}

/// The same whatever the cuts.
std::string decode(TransferEncoding encoding, std::string_view text, Defects* defects = nullptr) {
  const Decoded whole = decode(encoding, text, text.size() + 1);
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const Decoded cut = decode(encoding, text, piece);
    EXPECT_EQ(cut.octets, whole.octets) << "in pieces of " << piece;
    EXPECT_EQ(cut.defects, whole.defects) << "in pieces of " << piece;
  }
  if (defects != nullptr) *defects = whole.defects;
  return whole.octets;
}

std::string random_octets(SeededRandom& random, std::size_t size) {
  std::string octets(size, '\0');
  random.fill(std::as_writable_bytes(std::span(octets)));
  return octets;
}

TEST(TransferEncodingName, IsReadAsSendersWriteIt) {
  EXPECT_EQ(parse_transfer_encoding(" Base64 "), TransferEncoding::base64);
  EXPECT_EQ(parse_transfer_encoding("7bit; charset=x"), TransferEncoding::identity);
  EXPECT_EQ(parse_transfer_encoding("quoted-printable (why not)"), TransferEncoding::quoted_printable);
  EXPECT_EQ(parse_transfer_encoding("X-UUENCODE"), TransferEncoding::uuencode);
  EXPECT_EQ(parse_transfer_encoding(""), TransferEncoding::identity);
  EXPECT_EQ(parse_transfer_encoding("rot13"), std::nullopt);
}

TEST(Base64Reading, GivesBackWhatWasEncoded) {
  SeededRandom random(1);
  for (std::size_t size = 0; size < 200; ++size) {
    const std::string octets = random_octets(random, size);
    EXPECT_EQ(decode(TransferEncoding::base64, base64_encode(octets), 3).octets, octets);
    EXPECT_EQ(decode(TransferEncoding::base64, base64_encode(octets), 1000).octets, octets);
  }
}

TEST(Base64Reading, KeepsTheLastOctetsWhereThePaddingIsMissing) {
  Defects defects;
  EXPECT_EQ(decode(TransferEncoding::base64, "SGVsbG8", &defects), "Hello");
  EXPECT_TRUE(defects.has(Defect::bad_base64));
  EXPECT_EQ(decode(TransferEncoding::base64, "SGVsbA"), "Hell");
}

TEST(Base64Reading, PassesOverWhatDoesNotBelongAndGoesOnBehindPadding) {
  Defects defects;
  EXPECT_EQ(decode(TransferEncoding::base64, "SG Vs\r\nbG8=", &defects), "Hello");
  EXPECT_TRUE(defects.empty());
  EXPECT_EQ(decode(TransferEncoding::base64, "SGVsbG8=\r\nSGVsbG8=", &defects), "HelloHello");
  EXPECT_TRUE(defects.empty());
  EXPECT_EQ(decode(TransferEncoding::base64, "SG*Vs!bG8=", &defects), "Hello");
  EXPECT_TRUE(defects.has(Defect::bad_base64));
}

TEST(QuotedPrintableReading, FollowsTheRules) {
  Defects defects;
  EXPECT_EQ(decode(TransferEncoding::quoted_printable, "a=C3=B6b =\r\nc  \r\nd\t\n=3D", &defects),
            "a\xC3\xB6"
            "b c\r\nd\n=");
  EXPECT_TRUE(defects.empty());
  EXPECT_EQ(decode(TransferEncoding::quoted_printable, "soft=  \r\nbreak"), "softbreak");
  EXPECT_EQ(decode(TransferEncoding::quoted_printable, "low=c3=b6"), "low\xC3\xB6");
}

TEST(QuotedPrintableReading, ShowsWhatIsNoEscapeAsItStands) {
  Defects defects;
  EXPECT_EQ(decode(TransferEncoding::quoted_printable, "a=b=ZZ=4", &defects), "a=b=ZZ=4");
  EXPECT_TRUE(defects.has(Defect::bad_quoted_printable));
  EXPECT_EQ(decode(TransferEncoding::quoted_printable, "end="), "end");
}

TEST(QuotedPrintableReading, HoldsBackNoMoreThanALineOfBlanks) {
  const std::string blanks(100'000, ' ');
  EXPECT_EQ(decode(TransferEncoding::quoted_printable, blanks + "x", 10).octets.size(), blanks.size() + 1);
}

TEST(UuencodeReading, GivesBackWhatWasEncoded) {
  Defects defects;
  EXPECT_EQ(decode(TransferEncoding::uuencode, "junk\nbegin 644 a.txt\n%2&5L;&\\\n`\nend\n", &defects),
            "Hello");
  EXPECT_TRUE(defects.empty());
  // Without its end, and cut inside a line.
  EXPECT_EQ(decode(TransferEncoding::uuencode, "begin 644 a.txt\r\n%2&5L;&\\", &defects), "Hello");
  EXPECT_TRUE(defects.has(Defect::bad_uuencode));
}

TEST(LineEnds, AreCrLfWhateverTheyWere) {
  EXPECT_EQ(with_crlf(""), "");
  EXPECT_EQ(with_crlf("\r"), "\r\n");
  EXPECT_EQ(with_crlf("\n\r"), "\r\n\r\n");
  EXPECT_EQ(with_crlf("a\rb\nc\r\nd\r\r\n\n"), "a\r\nb\r\nc\r\nd\r\n\r\n\r\n");
  SeededRandom random(4);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::uint64_t length = random.below(30); text.size() < length;) text += "a\r\n"[random.below(3)];
    std::string slow;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n' && i != 0 && text[i - 1] == '\r') continue;
      slow += text[i] == 'a' ? "a" : "\r\n";
    }
    ASSERT_EQ(with_crlf(text), slow);
  }
}

TEST(QuotedPrintableWriting, IsReadAgainWithLinesOfAtMost76) {
  SeededRandom random(2);
  for (int round = 0; round < 300; ++round) {
    std::string text;
    const std::size_t size = random.below(400);
    for (std::size_t i = 0; i < size; ++i) {
      const std::uint64_t kind = random.below(20);
      if (kind == 0) {
        text += "\r\n";
      } else if (kind == 1) {
        text += "From ";
      } else if (kind < 5) {
        text += ' ';
      } else if (kind < 8) {
        text += static_cast<char>(random.below(256));
      } else {
        text += static_cast<char>('a' + random.below(26));
      }
    }
    text = with_crlf(text);
    const std::string encoded = quoted_printable(text);
    EXPECT_EQ(decode(TransferEncoding::quoted_printable, encoded, 7).octets, text);
    for (std::size_t at = 0; at < encoded.size();) {
      const std::size_t end = std::min(encoded.find("\r\n", at), encoded.size());
      EXPECT_LE(end - at, 76U);
      EXPECT_NE(encoded.substr(at, 5), "From ");
      at = end + 2;
    }
  }
}

TEST(Base64Writing, HasTheLengthThatWasToldBefore) {
  SeededRandom random(3);
  for (std::size_t size = 0; size < 300; ++size) {
    const std::string octets = random_octets(random, size);
    Base64Lines lines;
    std::string encoded;
    for (std::size_t at = 0; at < size; at += 41)
      lines.feed(std::string_view(octets).substr(at, 41), encoded);
    lines.finish(encoded);
    EXPECT_EQ(encoded.size(), Base64Lines::encoded_size(size));
    EXPECT_EQ(decode(TransferEncoding::base64, encoded, 50).octets, octets);
  }
}

TEST(BodyEncodingChoice, IsThePlainestThatCarriesTheText) {
  EXPECT_EQ(choose_encoding("plain\r\n", false), BodyEncoding::seven_bit);
  EXPECT_EQ(choose_encoding(std::string(998, 'x') + "\r\n", false), BodyEncoding::seven_bit);
  EXPECT_EQ(choose_encoding(std::string(999, 'x') + "\r\n", false), BodyEncoding::quoted_printable);
  EXPECT_EQ(choose_encoding("From here\r\n", true), BodyEncoding::quoted_printable);
  EXPECT_EQ(choose_encoding("a rather plain text with one \xC3\xB6\r\n", false),
            BodyEncoding::quoted_printable);
  EXPECT_EQ(choose_encoding("a rather plain text with one \xC3\xB6\r\n", true), BodyEncoding::eight_bit);
  EXPECT_EQ(choose_encoding("\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\r\n", false), BodyEncoding::base64);
}

}  // namespace
}  // namespace syncline::mime
