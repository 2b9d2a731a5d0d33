// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "routing/smtp/capabilities.hpp"
#include "routing/smtp/reply.hpp"

namespace syncline::smtp {
namespace {

constexpr std::string_view hello =
    "250-mail.example.test greets you\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-auth plain  LOGIN\r\n"
    "250-AUTH=LOGIN XOAUTH2\r\n250-STARTTLS\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n"
    "250-ENHANCEDSTATUSCODES\r\n250-LIMITS MAILMAX=7 RCPTMAX=50\r\n250 CHUNKING\r\n";

Result<Reply> read_in(std::string_view first, std::string_view second, ReplyLimits limits = {}) {
  ReplyReader reader(limits);
  for (const std::string_view piece : {first, second}) {
    auto used = reader.feed(piece);
    if (!used) return fail(std::move(used.error()));
    if (*used != piece.size()) return fail(ErrorDomain::local, "left", "octets were left");
  }
  if (!reader.complete()) return fail(ErrorDomain::local, "incomplete", "the reply is not complete");
  return reader.take();
}

TEST(SmtpReply, ReadsTheSameWhereverItIsCut) {
  for (std::size_t cut = 0; cut <= hello.size(); ++cut) {
    const auto reply = read_in(hello.substr(0, cut), hello.substr(cut));
    ASSERT_TRUE(reply) << cut << reply.error().describe();
    EXPECT_EQ(reply->code, 250);
    ASSERT_EQ(reply->lines.size(), 12u);
    EXPECT_EQ(reply->lines.front(), "mail.example.test greets you");
    EXPECT_EQ(reply->lines.back(), "CHUNKING");
  }
}

TEST(SmtpReply, TakesNoMoreThanOneReply) {
  ReplyReader reader;
  const std::string_view two = "250 first\r\n550 5.1.1 second\r\n";
  auto used = reader.feed(two);
  ASSERT_TRUE(used);
  EXPECT_EQ(*used, 11u);
  ASSERT_TRUE(reader.complete());
  EXPECT_EQ(reader.take().describe(), "250 first");
  ASSERT_TRUE(reader.feed(two.substr(*used)));
  ASSERT_TRUE(reader.complete());
  const Reply second = reader.take();
  EXPECT_EQ(second.code, 550);
  EXPECT_EQ(second.enhanced(), (EnhancedCode{5, 1, 1}));
}

TEST(SmtpReply, TakesACodeAloneAndLinesThatEndWithLf) {
  const auto reply = read_in("250-a\n250-\n", "250\n");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->lines, (std::vector<std::string>{"a", "", ""}));
}

TEST(SmtpReply, RefusesWhatIsNone) {
  for (const char* bad : {"hello\r\n", "25\r\n", "999 x\r\n", "199 x\r\n", "250x\r\n", "\r\n",
                          "250-a\r\n251 b\r\n", "2 50\r\n", "HTTP/1.1 400 Bad Request\r\n"}) {
    const auto reply = read_in(bad, "");
    ASSERT_FALSE(reply) << bad;
    EXPECT_EQ(reply.error().code, "bad-reply") << bad;
    EXPECT_EQ(reply.error().retry, RetryClass::after);
  }
}

TEST(SmtpReply, EndlessLinesAndEndlessRepliesHaveLimits) {
  ReplyReader line;
  const std::string stream(1000, 'x');
  Result<std::size_t> fed = std::size_t{0};
  std::size_t total = 0;
  while (fed && total < 1'000'000) {
    fed = line.feed(stream);
    total += stream.size();
  }
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, "line-too-long");
  EXPECT_LE(total, 16'000u);

  ReplyReader lines;
  fed = std::size_t{0};
  for (int i = 0; i < 100'000 && fed; ++i) fed = lines.feed("250-x\r\n");
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, "reply-too-long");

  ReplyReader octets({.line_octets = 1 << 20, .lines = 1000, .octets = 4096});
  fed = std::size_t{0};
  for (int i = 0; i < 900 && fed; ++i) fed = octets.feed("250-" + std::string(100, 'y') + "\r\n");
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, "reply-too-long");
}

TEST(SmtpReply, EnhancedCodesAreReadWhereTheyAreAndNowhereElse) {
  EXPECT_EQ(parse_enhanced_code("5.7.139 Authentication unsuccessful"), (EnhancedCode{5, 7, 139}));
  EXPECT_EQ(parse_enhanced_code("4.2.2"), (EnhancedCode{4, 2, 2}));
  for (const char* none :
       {"", "5", "5.1", "5.1.", "5.1.x", "3.1.1 x", "10.0.0.1 is blocked", "5.1.1x", "5.1.1111", "250 5.1.1"})
    EXPECT_FALSE(parse_enhanced_code(none)) << none;
  const Reply contradicts{.code = 550, .lines = {"2.0.0 Ok", "4.1.1 x"}};
  EXPECT_FALSE(contradicts.enhanced()) << "of another class than the reply";
}

TEST(SmtpCapabilities, AreReadFromTheAnswerToEhlo) {
  const auto reply = read_in(hello, "");
  ASSERT_TRUE(reply);
  const Capabilities offered = read_capabilities(*reply);
  EXPECT_TRUE(offered.pipelining && offered.starttls && offered.eight_bit_mime && offered.dsn);
  EXPECT_TRUE(offered.smtputf8 && offered.enhanced_status_codes && offered.chunking && offered.size);
  EXPECT_EQ(offered.size_limit_octets, 10'240'000u);
  EXPECT_EQ(offered.most_recipients, 50u);
  EXPECT_EQ(offered.most_messages, 7u);
  EXPECT_EQ(offered.mechanisms, (std::vector<std::string>{"PLAIN", "LOGIN", "XOAUTH2"}));
}

TEST(SmtpCapabilities, OddOnesAreNoLimits) {
  const Capabilities offered =
      read_capabilities({.code = 250, .lines = {"PIPELINING", "SIZE 0", "", "SIZES 5", "LIMITS RCPTMAX=x"}});
  EXPECT_FALSE(offered.pipelining) << "the first line is the greeting";
  EXPECT_TRUE(offered.size);
  EXPECT_FALSE(offered.size_limit_octets) << "0 is no limit (RFC 1870 section 5)";
  EXPECT_FALSE(offered.most_recipients);
}

}  // namespace
}  // namespace syncline::smtp
