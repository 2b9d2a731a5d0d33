// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <array>

#include "net/http_framing.hpp"

namespace syncline::net {
namespace {

struct Read {
  std::string body;
  int status = 0;
  bool keep_alive = false;
  std::size_t header_fields = 0;
};

/// Gives the text in pieces of `piece` octets, as a connection would, and its end behind it.
Result<Read> read(MessageReader::Kind kind, const std::string& text, std::size_t piece,
                  FramingLimits limits = {}) {
  MessageReader reader(kind, limits);
  Read result;
  std::size_t begin = 0;
  std::size_t end = 0;
  const auto all = std::as_bytes(std::span<const char>(text.data(), text.size()));
  while (!reader.complete()) {
    auto step = reader.feed(all.subspan(begin, end - begin));
    if (!step) return fail(std::move(step).error());
    begin += step->consumed;
    result.body.append(reinterpret_cast<const char*>(step->body.data()), step->body.size());
    if (!step->needs_more) continue;
    if (end == text.size()) {
      auto ended = reader.feed_end();
      if (!ended) return fail(std::move(ended).error());
      break;
    }
    end = std::min(text.size(), end + piece);
  }
  result.status = reader.status();
  result.keep_alive = reader.keep_alive();
  result.header_fields = reader.headers().size();
  return result;
}

TEST(Framing, AResponseReadsTheSameHoweverItIsCut) {
  const std::string text =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n5;a=b\r\nhello\r\n7\r\n, "
      "world\r\n0\r\nT: u\r\n\r\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const auto got = read(MessageReader::Kind::response, text, piece);
    ASSERT_TRUE(got) << piece << got.error().describe();
    EXPECT_EQ(got->body, "hello, world");
    EXPECT_EQ(got->header_fields, 2u) << "trailers are no headers";
    EXPECT_TRUE(got->keep_alive);
  }
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    const auto got = read(MessageReader::Kind::response, text.substr(0, cut), 1000);
    ASSERT_FALSE(got) << cut;
    EXPECT_EQ(got.error().code, "truncated");
  }
}

TEST(Framing, WhatTwoReadersCouldUnderstandInTwoWaysIsRefused) {
  for (const char* text : {
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
           "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 0x10\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA\x01: b\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA: b\x01\r\n\r\n",
           "HTTP/2.0 200 OK\r\n\r\n",
           "HTTP/1.1 2000 OK\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
           "<html><body>Sign in</body></html>",
           "220 mail.example.test ESMTP\r\n",
       }) {
    const auto got = read(MessageReader::Kind::response, text, 3);
    ASSERT_FALSE(got) << text;
    EXPECT_TRUE(got.error().code == "bad-message" || got.error().code == "too-large")
        << text << got.error().describe();
  }
}

TEST(Framing, LinesThatEndWithLfAloneAreNotLines) {
  EXPECT_FALSE(read(MessageReader::Kind::response, "HTTP/1.1 200 OK\nContent-Length: 0\n\n", 3));
  EXPECT_FALSE(read(MessageReader::Kind::request, "GET / HTTP/1.1\nHost: a\n\n", 3));
}

TEST(Framing, ClaimsAreRefusedBeforeAnythingIsRead) {
  FramingLimits limits;
  limits.body_octets = 1000;
  limits.header_octets = 300;
  EXPECT_EQ(
      read(MessageReader::Kind::response, "HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n", 9, limits)
          .error()
          .code,
      "too-large");
  EXPECT_EQ(read(MessageReader::Kind::response,
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n80000000\r\n", 9, limits)
                .error()
                .code,
            "too-large");
  EXPECT_EQ(read(MessageReader::Kind::response, "HTTP/1.1 200 OK\r\nA: " + std::string(400, 'x') + "\r\n\r\n",
                 9, limits)
                .error()
                .code,
            "header-too-large");
  EXPECT_TRUE(read(MessageReader::Kind::response,
                   "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x'), 99, limits));
  EXPECT_FALSE(read(MessageReader::Kind::response,
                    "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x'), 99, limits));
}

TEST(Framing, NamesAndValuesThatCouldEndALineAreKnown) {
  EXPECT_TRUE(is_token("X-Client"));
  EXPECT_FALSE(is_token(""));
  EXPECT_FALSE(is_token("a b"));
  EXPECT_FALSE(is_token("a:"));
  EXPECT_TRUE(is_field_value("a\tb \xC3\xA4"));
  EXPECT_FALSE(is_field_value("a\r\nb"));
  EXPECT_FALSE(is_field_value(std::string_view("a\0b", 3)));
  const std::array<std::string_view, 2> values{"gzip;q=1, br", "Close"};
  EXPECT_TRUE(list_has(values, "gzip"));
  EXPECT_TRUE(list_has(values, "close"));
  EXPECT_FALSE(list_has(values, "zip"));
}

}  // namespace
}  // namespace syncline::net
