// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "base/random.hpp"

namespace syncline {
namespace {

using ::testing::Eq;

// RFC 4648 section 10.
TEST(Base64, KnowsTheVectorsOfTheRfc) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_THAT(base64_encode(std::string_view(plain)), Eq(encoded));
    EXPECT_THAT(base64_decode(encoded).value(), Eq(plain));
  }
}

TEST(Base64, SurvivesEveryCutInTwoAndEveryLength) {
  SeededRandom random(1);
  for (std::size_t length = 0; length < 50; ++length) {
    std::string octets(length, '\0');
    random.fill(std::as_writable_bytes(std::span(octets)));
    const std::string encoded = base64_encode(std::string_view(octets));
    EXPECT_EQ(encoded.size(), Base64Encoder::encoded_size(length));
    for (std::size_t cut = 0; cut <= encoded.size(); ++cut) {
      Base64Decoder decoder;
      std::string out;
      ASSERT_TRUE(decoder.feed(std::string_view(encoded).substr(0, cut), out));
      ASSERT_TRUE(decoder.feed(std::string_view(encoded).substr(cut), out));
      ASSERT_TRUE(decoder.finish(out));
      ASSERT_EQ(out, octets) << "cut at " << cut;
    }
    for (std::size_t cut = 0; cut <= length; ++cut) {
      Base64Encoder encoder;
      std::string out;
      encoder.feed(std::string_view(octets).substr(0, cut), out);
      encoder.feed(std::string_view(octets).substr(cut), out);
      encoder.finish(out);
      ASSERT_EQ(out, encoded) << "cut at " << cut;
    }
  }
}

TEST(Base64, PassesOverWhiteSpaceBetweenAnyTwoCharacters) {
  EXPECT_EQ(base64_decode(" Z m\r\n9 v\tY g = = ").value(), "foob");
}

TEST(Base64, AcceptsMissingPadding) {
  EXPECT_EQ(base64_decode("Zg").value(), "f");
  EXPECT_EQ(base64_decode("Zm8").value(), "fo");
}

TEST(Base64, RefusesWhatDoesNotBelong) {
  for (const char* text : {"Zg=a", "Z", "=", "Zg===", "Zm9v!", "Zm9v=", "Z=g="}) {
    const auto decoded = base64_decode(text);
    ASSERT_FALSE(decoded) << text;
    EXPECT_EQ(decoded.error().code, "bad-base64") << text;
  }
}

TEST(Base64, UrlFormHasNoPaddingAndNoPlus) {
  EXPECT_EQ(base64url_encode("\xfb\xff\xfe\x01"), "-__-AQ");
}

}  // namespace
}  // namespace syncline
