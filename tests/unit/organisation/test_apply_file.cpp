// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/apply_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <sstream>

#include "service/organisation/difference.hpp"
#include "service/organisation/setting_values.hpp"

namespace syncline::service {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

expected<Configuration, std::vector<FileProblem>> read(const std::string& text) {
  std::istringstream input(text);
  return read_apply_file(input);
}

Configuration good(const std::string& text) {
  auto configuration = read(text);
  if (!configuration) {
    ADD_FAILURE() << configuration.error().front().describe("file");
    return {};
  }
  return *configuration;
}

TEST(ApplyFile, ReadsTypedValues) {
  const Configuration c = good(R"(
[policy.mail]
track = "known_contacts"
[policy.fields]
contact = { jobTitle = "to_exchange" }
[[profile]]
prof_name = "P"
type = "imap_smtp"
in_host = "imap.b.example"
in_port = 143
in_tls = "starttls"
auth_in = "mailbox_credentials"
out_auth_protocol = "oauth"
process_from = 2026-01-02
tls_version = 1.2
[[mailbox]]
address = "A@B.example"
req_mail_in = "outlook"
mbx_exchange_version = 2019
policy.mail.track = "all"
)");
  ASSERT_EQ(c.profiles.size(), 1U);
  const model::Profile& profile = c.profiles[0];
  EXPECT_EQ(profile.name, "P");
  EXPECT_EQ(profile.type, model::ServerType::imap_smtp);
  EXPECT_EQ(profile.incoming.port, 143);
  EXPECT_EQ(profile.incoming.tls, model::TransportSecurity::starttls);
  EXPECT_EQ(profile.outgoing.authentication_protocol, model::AuthenticationProtocol::oauth);
  EXPECT_FALSE(profile.outgoing_as_incoming());
  EXPECT_EQ(print_setting_time(*profile.process_email_from), "2026-01-02");
  EXPECT_EQ(profile.facts.at("prof_tls_version"), "1.2");
  const model::Mailbox& mailbox = c.mailboxes.at(0);
  EXPECT_EQ(mailbox.address, "a@b.example");
  EXPECT_EQ(mailbox.incoming, model::DeliveryMethod::outlook);
  EXPECT_EQ(mailbox.facts.at("mbx_exchange_version"), "2019");
  EXPECT_EQ(c.policies.mail.track, model::MailFilter::known_contacts);
  EXPECT_EQ(c.policies_of(mailbox).mail.track, model::MailFilter::all);
  const auto* field = model::find_field(model::RecordKind::contact, "jobTitle");
  EXPECT_EQ(c.policies.direction_of(model::RecordKind::contact, *field), model::Direction::to_exchange);
}

TEST(ApplyFile, WhatAProfileContradictsItselfInIsRefused) {
  const auto refused = [](const std::string& settings) -> std::string {
    const auto configuration = read("[[profile]]\nname = \"P\"\n" + settings);
    return configuration ? "" : configuration.error().front().key;
  };
  const std::string exchange = "type = \"exchange_hybrid\"\nuser_name = \"a@b.example\"\n";
  // Exchange is signed in to once.
  EXPECT_EQ(refused(exchange), "");
  EXPECT_EQ(refused(exchange + "auth_out = \"profile_credentials\"\nout_user_name = \"a@b.example\"\n"), "")
      << "as incoming, by default";
  EXPECT_EQ(refused(exchange + "auth_out = \"mailbox_credentials\"\n"), "profile.auth_out");
  EXPECT_EQ(refused(exchange + "out_user_name = \"c@b.example\"\n"), "profile.out_user_name");
  EXPECT_EQ(refused(exchange + "in_auth_protocol = \"ntlm\"\nout_auth_protocol = \"ntlm\"\n"), "");
  EXPECT_EQ(refused(exchange + "out_auth_protocol = \"ntlm\"\n"), "profile.out_auth_protocol");
  EXPECT_EQ(refused(exchange + "same_settings_for_outgoing = false\n"), "profile.same_settings_for_outgoing");
  EXPECT_EQ(refused(exchange + "same_settings_for_outgoing = true\n"), "");
  // Mail hosts have two connections.
  const std::string host = "type = \"imap_smtp\"\nauth_in = \"mailbox_credentials\"\n";
  const std::string other = "auth_out = \"profile_credentials\"\nout_user_name = \"c@b.example\"\n";
  EXPECT_EQ(refused(host + other + "same_settings_for_outgoing = false\n"), "");
  EXPECT_EQ(refused(host + other), "");
  EXPECT_EQ(refused(host + other + "same_settings_for_outgoing = true\n"),
            "profile.same_settings_for_outgoing");
}

TEST(ApplyFile, TheLatestStartOfMailCounts) {
  const Configuration c = good(R"(
[policy.mail]
process_from = 2026-01-01
[[profile]]
name = "P"
type = "gmail"
process_from = 2026-03-01
[[mailbox]]
address = "a@gmail.com"
profile = "P"
start_date = 2026-02-01
[[mailbox]]
address = "b@gmail.com"
profile = "P"
start_date = 2026-04-01
)");
  EXPECT_EQ(print_setting_time(*c.policies_of(c.mailboxes[0]).mail.process_from), "2026-03-01");
  EXPECT_EQ(print_setting_time(*c.policies_of(c.mailboxes[1]).mail.process_from), "2026-04-01");
}

TEST(ApplyFile, WhatIsWrittenReadsTheSame) {
  const Configuration c = good(R"(
[organisation]
name = "Zwei \"Worte\" \\ und ein Umlaut: ä"
ews_tenant = "allowlisted"
process_from_max_days = 30
[policy.sync]
send_tasks = ["owner", { expression = "subject contains \"a'b\"" }]
audit_every_hours = 12
[policy.conflict]
task = { subject = "ask", status = "exchange" }
[[profile]]
name = "a.b c"
type = "exchange_online"
resolve = ["h:1:127.0.0.1", "i:2:::1"]
process_from = 2026-01-02T03:04:05+01:00
[[mailbox]]
address = "a@b.example"
policy = { sync = { send_contacts = ["owner"] }, mail = { process_from = 2026-05-01 } }
)");
  const std::string written = write_apply_file(c);
  const Configuration again = good(written);
  EXPECT_THAT(difference(c, again), IsEmpty()) << written;
  EXPECT_EQ(write_apply_file(again), written);
}

TEST(ApplyFile, TheSampleIsValidAndNamesEverySetting) {
  const std::string sample = apply_file_example();
  EXPECT_EQ(good(sample).profiles.size(), 1U);
  for (const auto& setting : profile_settings())
    EXPECT_THAT(sample, HasSubstr(std::string(setting.key) + " = "));
  for (const auto& setting : mailbox_settings())
    EXPECT_THAT(sample, HasSubstr(std::string(setting.key) + " = "));
  for (const PolicySection& section : policy_sections()) {
    for (const auto& setting : section.settings)
      EXPECT_THAT(sample, HasSubstr(std::string(setting.key) + " = "));
  }
}

TEST(ApplyFile, EveryExampleOfTheSampleIsAValueOfItsSetting) {
  for (const auto& setting : profile_settings()) {
    const std::string key = setting.key == "name" || setting.key == "type"
                                ? ""
                                : std::string(setting.key) + " = " + std::string(setting.example);
    EXPECT_TRUE(read("[[profile]]\nname = \"x\"\ntype = \"gmail\"\n" + key)) << setting.key;
  }
  for (const PolicySection& section : policy_sections()) {
    for (const auto& setting : section.settings) {
      const std::string text = "[policy." + std::string(section.name) + "]\n" + std::string(setting.key) +
                               " = " + std::string(setting.example);
      EXPECT_TRUE(read(text)) << text;
    }
  }
}

TEST(ApplyFile, SecretsAreRecognisedByTheirKeys) {
  for (const char* key :
       {"password", "prof_password", "ClientSecret", "refresh_token", "PRIVATE_KEY", "certificate"})
    EXPECT_TRUE(looks_like_secret(key)) << key;
  for (const char* key : {"in_port", "user_name", "keyboard"}) EXPECT_FALSE(looks_like_secret(key)) << key;
  // What is a setting is none: token_endpoint, use_tracking_token.
  EXPECT_TRUE(read("[policy.mail]\nuse_tracking_token = false\n"));
}

TEST(ApplyFile, HostileFilesAreRefusedQuietly) {
  EXPECT_FALSE(read(std::string(100000, '[')));
  EXPECT_FALSE(read("a = " + std::string(100000, '[')));
  EXPECT_FALSE(
      read("[[mailbox]]\naddress = \"a@b.c\"\npolicy = { a = { a = { a = { a = { a = { a = { a = { a = { a = "
           "{ a = 1 } } } } } } } } } }"));
  EXPECT_FALSE(read(std::string("a = \"\0\"", 8)));
  EXPECT_FALSE(read("[organisation]\nname = \"\\u0007\"\n"));
  EXPECT_FALSE(read("[organisation]\nname = \"\\u202e\"\n"));
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "x" + std::to_string(i) + " = 1\n";
  EXPECT_EQ(read(many).error().size(), apply_problems_limit);
}

TEST(ApplyFile, TimesAreReadStrictly) {
  for (const char* text :
       {"2026-11-22", "2026-11-22T10:00:00Z", "2026-11-22T10:00:00.5+02:00", "2026-11-22 10:00:00-01:30"})
    EXPECT_TRUE(parse_setting_time(text)) << text;
  for (const char* text :
       {"", "2026", "2026-02-30", "2026-11-22T", "2026-11-22T10:00:00", "2026-11-22T25:00:00Z",
        "2026-11-22T10:00:00+2", "2026-11-22T10:00:00.Z", "2026-11-22x", "x026-11-22"})
    EXPECT_FALSE(parse_setting_time(text)) << text;
  EXPECT_EQ(print_setting_time(*parse_setting_time("2026-11-22T00:30:00+02:00")), "2026-11-21T22:30:00Z");
}

TEST(Difference, SaysWhatIsAddedChangedRemoved) {
  const Configuration before = good(
      "[organisation]\nname = \"A\"\n[[profile]]\nname = \"P\"\ntype = \"gmail\"\nmin_poll = "
      "5\n[[profile]]\nname = "
      "\"Q\"\ntype = \"gmail\"\n");
  const Configuration after = good(
      "[organisation]\nname = \"B\"\n[policy.mail]\ntrack = \"all\"\n[[profile]]\nname = \"R\"\ntype = "
      "\"gmail\"\n"
      "[[profile]]\nname = \"P\"\ntype = \"gmail\"\nmax_conn = 3\n");
  std::vector<std::string> said;
  for (const ObjectChange& change : difference(before, after)) {
    std::string line = std::string(to_string(change.action)) + " " + change.object + " " + change.name;
    for (const FieldChange& field : change.fields)
      line += " " + field.field + ":" + boost::json::serialize(field.from) + ">" +
              boost::json::serialize(field.to);
    said.push_back(line);
  }
  EXPECT_THAT(said, testing::ElementsAre("change organisation  name:\"A\">\"B\"",
                                         "change policy.mail  track:null>\"all\"",
                                         "add profile R name:null>\"R\" type:null>\"gmail\"",
                                         "change profile P min_poll:5>null max_conn:null>3",
                                         "remove profile Q name:\"Q\">null type:\"gmail\">null"));
  Configuration reordered = after;
  std::swap(reordered.profiles[0], reordered.profiles[1]);
  EXPECT_THAT(difference(after, reordered), IsEmpty());
}

}  // namespace
}  // namespace syncline::service
