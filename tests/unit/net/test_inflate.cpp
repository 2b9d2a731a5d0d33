// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>
#include <zlib.h>

#include <vector>

#include "base/random.hpp"
#include "net/inflate.hpp"

namespace syncline::net {
namespace {

std::string deflated(const std::string& text, int window) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Result<std::string> inflated(std::string_view coding, const std::string& wire, InflateLimits limits,
                             std::size_t in_piece, std::size_t out_piece) {
  Inflater inflater(coding, limits);
  std::string out;
  std::vector<std::byte> buffer(out_piece);
  const auto all = std::as_bytes(std::span<const char>(wire.data(), wire.size()));
  for (std::size_t at = 0; at < wire.size(); at += in_piece) {
    std::span<const std::byte> piece = all.subspan(at, std::min(in_piece, wire.size() - at));
    for (;;) {
      auto count = inflater.inflate(piece, buffer);
      if (!count) return fail(std::move(count).error());
      if (*count == 0) break;
      out.append(reinterpret_cast<const char*>(buffer.data()), *count);
    }
  }
  if (!inflater.complete()) return fail(ErrorDomain::http, "truncated", "not complete");
  return out;
}

TEST(Inflater, AllCodingsComeBackHoweverTheyAreCut) {
  SeededRandom random(7);
  std::string text;
  while (text.size() < 20'000) text += "line " + std::to_string(random.below(100)) + "\n";
  for (const auto& [coding, window] :
       {std::pair("gzip", 31), std::pair("deflate", 15), std::pair("deflate", -15)}) {
    const std::string wire = deflated(text, window);
    for (const std::size_t in : {1ul, 7ul, 100'000ul}) {
      for (const std::size_t out : {1ul, 333ul, 65536ul}) {
        EXPECT_EQ(inflated(coding, wire, {.output_octets = 1 << 20}, in, out).value(), text)
            << coding << window;
      }
    }
    EXPECT_EQ(
        inflated(coding, wire.substr(0, wire.size() - 1), {.output_octets = 1 << 20}, 64, 64).error().code,
        "truncated");
  }
  EXPECT_EQ(inflated("gzip", gzip_compress("a") + gzip_compress("b"), {.output_octets = 10}, 3, 10).value(),
            "ab");
  EXPECT_EQ(inflated("gzip", gzip_compress("a") + "junk", {.output_octets = 10}, 100, 10).error().code,
            "bad-compression");
}

TEST(Inflater, Invariant29LimitsHoldWhateverTheRatio) {
  const std::string bomb = gzip_compress(std::string(50'000'000, '\0'));
  EXPECT_EQ(inflated("gzip", bomb, {.output_octets = 64 << 20}, 4096, 65536).error().code,
            "compression-bomb");
  EXPECT_EQ(inflated("gzip", bomb, {.output_octets = 1000}, 4096, 65536).error().code, "too-large");
  const std::string exact = gzip_compress(std::string(1000, 'x'));
  EXPECT_TRUE(inflated("gzip", exact, {.output_octets = 1000}, 4096, 64));
  EXPECT_EQ(inflated("gzip", exact, {.output_octets = 999}, 4096, 64).error().code, "too-large");
  // Every single damaged octet: an error or other text, never a crash or an endless loop.
  const std::string wire = gzip_compress("the quick brown fox jumps over the lazy dog");
  for (std::size_t at = 0; at < wire.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = wire;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      static_cast<void>(inflated("gzip", damaged, {.output_octets = 4096}, 5, 16));
    }
  }
}

}  // namespace
}  // namespace syncline::net
