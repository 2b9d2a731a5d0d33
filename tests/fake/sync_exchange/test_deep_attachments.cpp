// SPDX-License-Identifier: GPL-3.0-or-later
// messages in messages, twenty deep, through the whole engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exchange_organisation.hpp"

namespace syncline::sync::testing {
namespace {

using model::RecordKind;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// A message that holds another one, and so on; `depth` of them inside each other.
std::string nested(int depth) {
  std::string inside = mail_from(bert, "level 0", "<level0@example.com>", "", "the deepest words\r\n");
  for (int level = 1; level <= depth; ++level) {
    const std::string number = std::to_string(level);
    const std::string border = "border" + number;
    inside =
        mail_from(bert, "level " + number, "<level" + number + "@example.com>",
                  "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=" + border + "\r\n",
                  "--" + border + "\r\nContent-Type: text/plain\r\n\r\nsee inside\r\n--" + border +
                      "\r\nContent-Type: message/rfc822\r\n\r\n" + inside + "\r\n--" + border + "--\r\n");
  }
  return inside;
}

class DeepAttachments : public ::testing::TestWithParam<bool> {
 protected:
  ExchangeWorld server{{.schema_folder = SYNCLINE_SOURCE_DIR "/wsdl"}};
  ExchangeOrganisation organisation{server, anna};
};

TEST_P(DeepAttachments, R23_AreKeptTwentyDeep) {
  organisation.settings.policies.mail.keep_mime = GetParam();
  server.deliver(anna, nested(20));
  server.deliver(anna, mail_from(bert, "beside it", "<beside@example.com>"));
  organisation.must_run();
  const auto records = organisation.records(RecordKind::email);
  ASSERT_THAT(records, SizeIs(2));
  const auto& outer = records[field_text(records[0].fields, "subject") == "\"level 20\"" ? 0 : 1];
  EXPECT_EQ(field_text(outer.fields, "subject"), "\"level 20\"");
  ASSERT_TRUE(outer.fields.contains("attachments"));
  const auto& attachments = outer.fields.at("attachments").as_array();
  ASSERT_THAT(attachments, SizeIs(1)) << "what is inside the attached message is its own";
  const auto* kept = GetParam() ? &outer.fields.at("mime") : &attachments[0];
  ASSERT_TRUE(kept->as_object().contains("sha256")) << *kept;
  const std::string octets = organisation.content_of(kept->at("sha256").as_string());
  EXPECT_THAT(octets, HasSubstr("the deepest words"));
  for (int level = 0; level < 20; ++level)
    EXPECT_THAT(octets, HasSubstr("Subject: level " + std::to_string(level) + "\r\n"));
  EXPECT_THAT(organisation.journal("quarantined"), IsEmpty());
  organisation.expect_quiet();
  EXPECT_THAT(server.exchange.schema_violations(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(WholeAndByAttachment, DeepAttachments, ::testing::Bool(),
                         [](const auto& kept) { return kept.param ? "Whole" : "ByAttachment"; });

}  // namespace
}  // namespace syncline::sync::testing
