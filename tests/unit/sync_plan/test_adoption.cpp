// SPDX-License-Identifier: GPL-3.0-or-later
// Which items become records (invariant 19).
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "sync/plan/adoption.hpp"

namespace syncline::sync::plan {
namespace {

namespace json = boost::json;
using model::Adoption;
using model::Fields;
using model::RecordKind;

const Fields tracked{{"categories", {"Work", "TRACKED by syncline"}}};
const Fields untracked{{"categories", {"Work"}}};

model::SyncPolicy all_kinds(Adoption adoption) {
  return {.adopt_appointments = adoption, .adopt_contacts = adoption, .adopt_tasks = adoption};
}

constexpr RecordKind adopted_kinds[] = {RecordKind::appointment, RecordKind::contact, RecordKind::task};

struct Case {
  Adoption policy;
  const Fields& fields;
  bool known_contact;
  bool our_mark;
  bool adopt;
  std::string_view reason;
};

TEST(Invariant19, AnItemIsAdoptedByCategoryByOurPropertyOrByPolicy) {
  const Case cases[] = {
      {Adoption::category, untracked, true, false, false, "no-category"},
      {Adoption::category, tracked, false, false, true, "category"},
      {Adoption::category, untracked, false, true, true, "our-property"},
      {Adoption::known_contacts, untracked, false, false, false, "no-category"},
      {Adoption::known_contacts, untracked, true, false, true, "known-contact"},
      {Adoption::known_contacts, tracked, false, false, true, "category"},
      {Adoption::all, untracked, false, false, true, "policy-all"},
      {Adoption::none, tracked, true, true, false, "policy-none"},
  };
  for (const RecordKind kind : adopted_kinds)
    for (const Case& one : cases) {
      const AdoptionDecision made = decide_adoption({.kind = kind,
                                                     .fields = one.fields,
                                                     .with_known_contact = one.known_contact,
                                                     .bears_our_mark = one.our_mark},
                                                    all_kinds(one.policy));
      EXPECT_EQ(made.adopt, one.adopt) << one.reason;
      EXPECT_EQ(made.reason, one.reason);
    }
}

TEST(Invariant19, TheDefaultPolicyIsTheCategory) {
  for (const RecordKind kind : adopted_kinds) EXPECT_EQ(adoption_of(kind, {}), Adoption::category);
  EXPECT_EQ(adoption_of(RecordKind::email, all_kinds(Adoption::all)), Adoption::none);
}

TEST(Invariant19, EachKindHasItsOwnPolicy) {
  const model::SyncPolicy policy{.adopt_appointments = Adoption::all,
                                 .adopt_contacts = Adoption::none,
                                 .adopt_tasks = Adoption::known_contacts};
  EXPECT_EQ(adoption_of(RecordKind::appointment, policy), Adoption::all);
  EXPECT_EQ(adoption_of(RecordKind::contact, policy), Adoption::none);
  EXPECT_EQ(adoption_of(RecordKind::task, policy), Adoption::known_contacts);
}

TEST(Invariant19, PrivateAndConfidentialItemsAreNeverReadIntoARecord) {
  for (const RecordKind kind : adopted_kinds)
    for (const Adoption adoption : {Adoption::all, Adoption::category, Adoption::known_contacts}) {
      const AdoptionDecision marked = decide_adoption({.kind = kind,
                                                       .is_private = true,
                                                       .fields = tracked,
                                                       .with_known_contact = true,
                                                       .bears_our_mark = true},
                                                      all_kinds(adoption));
      EXPECT_FALSE(marked.adopt);
      EXPECT_EQ(marked.reason, "private");
      for (const char* sensitivity : {"Private", "Confidential"}) {
        Fields fields = tracked;
        fields["sensitivity"] = sensitivity;
        EXPECT_FALSE(decide_adoption({.kind = kind, .fields = fields}, all_kinds(adoption)).adopt)
            << sensitivity;
      }
      Fields personal = tracked;
      personal["sensitivity"] = "Personal";
      EXPECT_TRUE(decide_adoption({.kind = kind, .fields = personal}, all_kinds(adoption)).adopt);
    }
}

TEST(AdoptionAddresses, AreThoseOfAllPeopleEachOnceInLowerCase) {
  const Fields meeting = json::parse(R"({
      "organizer":{"emailAddress":"Ada@X.example"},
      "requiredAttendees":[{"mailbox":{"emailAddress":"bob@x.example"}},{"mailbox":{"name":"no address"}},{},1],
      "optionalAttendees":[{"mailbox":{"emailAddress":"ADA@x.example"}}],
      "resources":[{"mailbox":{"emailAddress":"/O=EX/CN=ROOM"}}],"subject":"c@x.example"})")
                             .as_object();
  EXPECT_EQ(addresses_in(RecordKind::appointment, meeting),
            (std::vector<std::string>{"ada@x.example", "bob@x.example"}));
  const Fields contact =
      json::parse(R"({"emailAddresses":{"EmailAddress1":" C@x.example ","EmailAddress2":null}})").as_object();
  EXPECT_EQ(addresses_in(RecordKind::contact, contact), (std::vector<std::string>{"c@x.example"}));
  const Fields mail =
      json::parse(
          R"({"from":{"emailAddress":"a@x"},"toRecipients":[{"emailAddress":"b@x"}],"ccRecipients":"c@x"})")
          .as_object();
  EXPECT_EQ(addresses_in(RecordKind::email, mail), (std::vector<std::string>{"a@x", "b@x"}));
}

}  // namespace
}  // namespace syncline::sync::plan
