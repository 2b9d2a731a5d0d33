// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "routing/smtp/address.hpp"
#include "routing/smtp/commands.hpp"
#include "routing/smtp/content_encoder.hpp"

namespace syncline::smtp {
namespace {

const Capabilities everything{.pipelining = true,
                              .chunking = true,
                              .eight_bit_mime = true,
                              .smtputf8 = true,
                              .dsn = true,
                              .size = true};

TEST(SmtpAddress, ThoseInUseAreTaken) {
  for (const char* good : {"a@b", "first.last+tag@mail.example.test", "\"John \\\"D\\\" Doe\"@example.test",
                           "x@[192.0.2.1]", "x@[IPv6:2001:db8::1]", "dots..in.a.row.@example.test",
                           "o'hara/x=y@example.test", "a@under_score.test"})
    EXPECT_TRUE(check_address(good, false)) << good;
}

TEST(SmtpAddress, NothingInOneCanEndACommand) {
  for (const std::string& bad : {std::string("a@b.test>\r\nRCPT TO:<evil@example.test"),
                                 std::string("a@b.test\n"),
                                 std::string("a\r@b.test"),
                                 std::string("a\0b@c.test", 10),
                                 std::string("\"a\r\nDATA\"@b.test"),
                                 std::string("a@b.test> SIZE=1"),
                                 std::string("<a@b.test>"),
                                 std::string("a b@c.test"),
                                 std::string("\"a\"b\"@c.test"),
                                 std::string("\"a\\\"@c.test"),
                                 std::string("a@b.test "),
                                 std::string("a@[1.2.3.4]>x]"),
                                 std::string("a"),
                                 std::string("@b.test"),
                                 std::string("a@"),
                                 std::string("a@b..test"),
                                 std::string("a@-\t.test"),
                                 std::string(65, 'a') + "@b.test",
                                 "a@" + std::string(300, 'b'),
                                 std::string("a@b,c@d")}) {
    const auto checked = check_address(bad, true);
    ASSERT_FALSE(checked) << bad;
    EXPECT_EQ(checked.error().code, "bad-address");
    EXPECT_EQ(checked.error().message.find('\n'), std::string::npos)
        << "shown as it is, it would be two lines";
    EXPECT_FALSE(rcpt_to(bad, true, everything)) << bad;
    EXPECT_FALSE(mail_from(bad, {}, everything)) << bad;
  }
}

TEST(SmtpAddress, OthersThanAsciiNeedTheServersConsent) {
  EXPECT_TRUE(check_address("jürgen@müller.test", true));
  const auto refused = check_address("jürgen@müller.test", false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "needs-smtputf8");
  EXPECT_FALSE(check_address("j\xff@example.test", true)) << "not UTF-8";
}

TEST(SmtpCommands, OnlyWhatIsOfferedIsSaid) {
  MailParameters parameters{.size_octets = 1234, .envelope_id = "op 1=x+"};
  EXPECT_EQ(mail_from("a@b.test", parameters, {}).value(), "MAIL FROM:<a@b.test>\r\n");
  EXPECT_EQ(mail_from("", {}, {}).value(), "MAIL FROM:<>\r\n");
  parameters.eight_bit = true;
  EXPECT_EQ(mail_from("a@b.test", parameters, everything).value(),
            "MAIL FROM:<a@b.test> SIZE=1234 BODY=8BITMIME RET=HDRS ENVID=op+201+3Dx+2B\r\n");
  EXPECT_EQ(mail_from("ü@b.test", {}, everything).value(), "MAIL FROM:<ü@b.test> SMTPUTF8 RET=HDRS\r\n");
  EXPECT_EQ(rcpt_to("c+d@e.test", false, {}).value(), "RCPT TO:<c+d@e.test>\r\n");
  EXPECT_EQ(rcpt_to("c+d@e.test", false, everything).value(),
            "RCPT TO:<c+d@e.test> NOTIFY=FAILURE,DELAY ORCPT=rfc822;c+2Bd@e.test\r\n");
  EXPECT_EQ(mail_from("a@b.test", {.eight_bit = true}, {}).error().code, "needs-8bitmime");
  EXPECT_EQ(mail_from("a@b.test", {.smtputf8 = true}, {}).error().code, "needs-smtputf8");
  EXPECT_EQ(bdat(42, true), "BDAT 42 LAST\r\n");
}

TEST(SmtpCommands, AClientNameThatIsNoneBecomesALiteral) {
  EXPECT_EQ(ehlo("host.example.test"), "EHLO host.example.test\r\n");
  EXPECT_EQ(ehlo(""), "EHLO [127.0.0.1]\r\n");
  EXPECT_EQ(ehlo("x\r\nMAIL FROM:<a@b>"), "EHLO [127.0.0.1]\r\n");
  EXPECT_EQ(helo("höst"), "HELO [127.0.0.1]\r\n");
}

std::string encode(ContentEncoder::Form form, std::string_view first, std::string_view second) {
  ContentEncoder encoder(form);
  std::string out;
  encoder.feed(first, out);
  encoder.feed(second, out);
  encoder.finish(out);
  return out;
}

struct Text {
  std::string_view given;
  std::string_view stuffed;  ///< without the final dot
  std::string_view plain;
};

TEST(SmtpContent, IsWrittenTheSameWhereverItIsCut) {
  constexpr Text texts[] = {
      {"", "", ""},
      {"a", "a\r\n", "a\r\n"},
      {".", "..\r\n", ".\r\n"},
      {"a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n", "a\r\n.\r\nb\r\n"},
      {"a\n.\nb", "a\r\n..\r\nb\r\n", "a\r\n.\r\nb\r\n"},
      {"a\r.\rb", "a\r\n..\r\nb\r\n", "a\r\n.\r\nb\r\n"},
      {"a\n.\r\nMAIL FROM:<evil@example.test>\r\n", "a\r\n..\r\nMAIL FROM:<evil@example.test>\r\n",
       "a\r\n.\r\nMAIL FROM:<evil@example.test>\r\n"},
      {"a\r\r\n..b\r\n\r\n.c\r", "a\r\n\r\n...b\r\n\r\n..c\r\n", "a\r\n\r\n..b\r\n\r\n.c\r\n"},
      {"\n\n\r\n", "\r\n\r\n\r\n", "\r\n\r\n\r\n"},
      {"x.y\r\nz.\r\n", "x.y\r\nz.\r\n", "x.y\r\nz.\r\n"},
  };
  for (const Text& text : texts) {
    for (std::size_t cut = 0; cut <= text.given.size(); ++cut) {
      const auto first = text.given.substr(0, cut);
      const auto second = text.given.substr(cut);
      EXPECT_EQ(encode(ContentEncoder::Form::dot_stuffed, first, second), std::string(text.stuffed) + ".\r\n")
          << cut;
      EXPECT_EQ(encode(ContentEncoder::Form::plain, first, second), text.plain) << cut;
    }
  }
}

}  // namespace
}  // namespace syncline::smtp
