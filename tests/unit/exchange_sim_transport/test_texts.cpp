// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <algorithm>

#include "tools/exchange-sim/transport/non_delivery.hpp"
#include "tools/exchange-sim/transport/settings.hpp"

namespace exchange_sim {
namespace {

TEST(TextOnTheWire, DotsAreStuffedAndEveryLineEndsInCrLf) {
  EXPECT_EQ(text_on_the_wire("a\r\n.b\r\n..\r\n"), "a\r\n..b\r\n...\r\n.\r\n");
  EXPECT_EQ(text_on_the_wire(".\n.\r\r.x"), "..\r\n..\r\n\r\n..x\r\n.\r\n") << "no bare CR or LF is sent";
  EXPECT_EQ(text_on_the_wire(""), ".\r\n");
  EXPECT_EQ(text_on_the_wire("\r\n"), "\r\n.\r\n");
  EXPECT_EQ(text_on_the_wire("x"), "x\r\n.\r\n");
  EXPECT_EQ(text_on_the_wire(std::string_view("\0.\r\n", 4)), std::string("\0.\r\n.\r\n", 7));
}

TEST(SmartHost, IsAHostAndPerhapsAPort) {
  EXPECT_EQ(parse_smart_host("127.0.0.1:2525"), (SmartHost{"127.0.0.1", 2525}));
  EXPECT_EQ(parse_smart_host("mail.test"), (SmartHost{"mail.test", 25}));
  EXPECT_EQ(parse_smart_host("[::1]:26"), (SmartHost{"::1", 26}));
  EXPECT_EQ(parse_smart_host("[::1]"), (SmartHost{"::1", 25}));
  EXPECT_TRUE(parse_smart_host("")->empty());
  for (const std::string_view bad :
       {"a:0", "a:65536", "a:x", "a:", ":25", "a b", "[::1", "[]:25", "::1", "smtp://a"})
    EXPECT_FALSE(parse_smart_host(bad)) << bad;
  for (const std::string_view text : {"127.0.0.1:2525", "[::1]:26", ""})
    EXPECT_EQ(to_string(*parse_smart_host(text)), text);
}

TEST(NonDeliveryReport, ALongSubjectIsSeveralWordsAndNoLineIsTooLong) {
  const OutgoingMail mail{.from = "anna@ours.test", .to = {}, .subject = "", .message_id = "", .mime = ""};
  for (std::size_t length = 0; length < 60; ++length) {
    OutgoingMail other = mail;
    for (std::size_t i = 0; i < length; ++i) other.subject += "a\xC3\x9F\xE2\x82\xAC\xF0\x9F\x98\x80";
    const std::string report =
        non_delivery_report(other, {{"bo@else.test", {550, "no"}}},
                            {.reporting_host = "sim.test", .remote_host = "", .unique = "u"}, {});
    std::size_t line = 0;
    for (const char c : report) {
      line = c == '\n' ? 0 : line + 1;
      ASSERT_LE(line, 90U) << report;
    }
  }
}

TEST(NonDeliveryReport, SaysWhoAndWhyAndInjectsNothing) {
  const OutgoingMail mail{.from = "anna@ours.test",
                          .to = {},
                          .subject = "Gr\xC3\xBC\xC3\x9F",
                          .message_id = "<1@ours.test>\r\nX-Evil: 1",
                          .mime = "Subject: original\r\nTo: bo@else.test\r\n\r\nthe body stays here\r\n"};
  const std::vector<Refusal> refusals{{"bo@else.test", {550, "5.1.1 no such user"}},
                                      {"x@else.test\r\nBcc: evil", {554, "go away\r\nX-Evil: 2 \xC3\xA4"}}};
  const std::string report = non_delivery_report(
      mail, refusals, {.reporting_host = "sim.test", .remote_host = "127.0.0.1", .unique = "u1"},
      syncline::SystemTime(std::chrono::milliseconds(1772442000000)));
  EXPECT_TRUE(
      report.starts_with("From: \"Microsoft Outlook\" <postmaster@ours.test>\r\nTo: anna@ours.test\r\n"));
  for (const std::string_view part :
       {"Date: Mon, 02 Mar 2026 09:00:00 +0000\r\n", "Message-ID: <u1@sim.test>\r\n",
        "Auto-Submitted: auto-replied\r\n",
        "Final-Recipient: rfc822;bo@else.test\r\nAction: failed\r\nStatus: 5.1.1\r\n",
        "Diagnostic-Code: smtp;550 5.1.1 no such user\r\n", "Status: 5.0.0\r\n", "Subject: original\r\n"})
    EXPECT_NE(report.find(part), std::string::npos) << part << "\n" << report;
  EXPECT_EQ(report.find("\nX-Evil"), std::string::npos) << report;
  EXPECT_EQ(report.find("\nBcc"), std::string::npos) << report;
  EXPECT_EQ(report.find("the body"), std::string::npos);
  EXPECT_TRUE(
      std::all_of(report.begin(), report.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
}

}  // namespace
}  // namespace exchange_sim
