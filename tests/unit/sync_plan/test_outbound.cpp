// SPDX-License-Identifier: GPL-3.0-or-later
// Which records go to a mailbox.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "sync/plan/outbound.hpp"

namespace syncline::sync::plan {
namespace {

namespace json = boost::json;
using model::OutboundFilter;
using model::Record;
using model::RecordKind;
using Kind = OutboundFilter::Kind;

Record meeting() {
  return {.id = 1,
          .kind = RecordKind::appointment,
          .owner = "Owner@x.example",
          .fields = json::parse(R"({"subject":"Plan","organizer":{"emailAddress":"Org@x.example"},
              "requiredAttendees":[{"mailbox":{"emailAddress":"Req@x.example"}},{"mailbox":{"name":"n"}},{}],
              "optionalAttendees":[{"mailbox":{"emailAddress":"opt@x.example"}}],
              "resources":[{"mailbox":{"emailAddress":"room@x.example"}}]})")
                        .as_object()};
}

OutboundRules rules(std::vector<OutboundFilter> appointments) {
  auto made = OutboundRules::make({.send_appointments = std::move(appointments)});
  EXPECT_TRUE(made);
  return *made;
}

TEST(Outbound, WithoutAFilterNothingGoes) {
  const OutboundRules none = rules({});
  EXPECT_FALSE(none.wants(meeting(), "owner@x.example"));
  EXPECT_FALSE(none.wants_any(RecordKind::appointment));
}

TEST(Outbound, EachFilterLooksAtItsPerson) {
  const OutboundRules owner = rules({{.kind = Kind::owner}});
  EXPECT_TRUE(owner.wants(meeting(), "owner@x.example"));
  EXPECT_FALSE(owner.wants(meeting(), "org@x.example"));
  const OutboundRules organizer = rules({{.kind = Kind::organizer}});
  EXPECT_TRUE(organizer.wants(meeting(), "org@x.example"));
  EXPECT_FALSE(organizer.wants(meeting(), "req@x.example"));
  const OutboundRules attendee = rules({{.kind = Kind::attendee}});
  for (const char* address : {"req@x.example", "opt@x.example", "room@x.example"})
    EXPECT_TRUE(attendee.wants(meeting(), address)) << address;
  EXPECT_FALSE(attendee.wants(meeting(), "owner@x.example"));
}

TEST(Outbound, FiltersAddUp) {
  const OutboundRules both =
      rules({{.kind = Kind::organizer}, {.kind = Kind::expression, .expression = "subject = Plan"}});
  EXPECT_TRUE(both.wants(meeting(), "org@x.example"));
  EXPECT_TRUE(both.wants(meeting(), "anybody@x.example"));
  Record other = meeting();
  other.fields["subject"] = "Other";
  EXPECT_FALSE(both.wants(other, "anybody@x.example"));
}

TEST(Outbound, NobodysRecordGoesToNobody) {
  const OutboundRules all =
      rules({{.kind = Kind::owner}, {.kind = Kind::attendee}, {.kind = Kind::organizer}});
  EXPECT_FALSE(all.wants({.kind = RecordKind::appointment}, ""));
}

TEST(Outbound, FiltersOfOneKindDoNotTouchAnother) {
  const OutboundRules owner = rules({{.kind = Kind::owner}});
  for (const RecordKind kind : {RecordKind::contact, RecordKind::task, RecordKind::email}) {
    EXPECT_FALSE(owner.wants({.kind = kind, .owner = "owner@x.example"}, "owner@x.example"));
    EXPECT_FALSE(owner.wants_any(kind));
  }
}

TEST(Outbound, AnExpressionThatCannotBeReadIsRefusedWithItsNumber) {
  const auto made = OutboundRules::make(
      {.send_tasks = {{.kind = Kind::owner}, {.kind = Kind::expression, .expression = "colour = red"}}});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, "unknown-field");
  EXPECT_NE(made.error().describe().find("filter 2 of tasks"), std::string::npos) << made.error().describe();
}

TEST(Outbound, TheVersionChangesWithTheFilters) {
  const auto version = [](std::vector<OutboundFilter> filters) {
    return rules(std::move(filters)).version_of(RecordKind::appointment);
  };
  const OutboundFilter owner{.kind = Kind::owner};
  const auto said = [](std::string text) {
    return OutboundFilter{.kind = Kind::expression, .expression = std::move(text)};
  };
  EXPECT_EQ(version({owner}), version({owner}));
  EXPECT_NE(version({owner}), version({}));
  EXPECT_NE(version({owner}), version({{.kind = Kind::attendee}}));
  EXPECT_NE(version({said("subject = a")}), version({said("subject = b")}));
  EXPECT_NE(version({said("subject = a\n"), said("subject")}),
            version({said("subject = a"), said("subject\n")}));
}

}  // namespace
}  // namespace syncline::sync::plan
