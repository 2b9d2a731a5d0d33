// SPDX-License-Identifier: GPL-3.0-or-later
// When two values of a field say the same.
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <string>

#include "model/field_catalogue.hpp"

namespace syncline::model {
namespace {

namespace json = boost::json;

struct Pair {
  RecordKind kind;
  std::string_view field;
  std::string_view a;
  std::string_view b;
  bool same;
};

void PrintTo(const Pair& pair, std::ostream* out) {
  *out << pair.field << " " << pair.a << (pair.same ? " == " : " != ") << pair.b;
}

constexpr auto email = RecordKind::email;
constexpr auto appointment = RecordKind::appointment;
constexpr auto contact = RecordKind::contact;
constexpr auto task = RecordKind::task;

constexpr Pair pairs[] = {
    {task, "subject", R"("a")", R"("a \n")", true},
    {task, "subject", R"("a")", R"(" a")", false},
    {task, "subject", R"("a")", R"("A")", false},
    {task, "subject", R"("")", "null", true},
    {task, "subject", R"(" \n")", "null", true},
    {task, "subject", R"("a")", "null", false},
    {task, "body", R"({"type":"text","value":"a"})", R"({"type":"text","value":"a\n\n"})", true},
    {task, "body", R"({"type":"text","value":"a"})", R"({"type":"html","value":"a"})", false},
    {task, "body", R"({"type":"html","value":" "})", "null", true},
    {task, "body", R"({"type":"html","value":"a"})", "null", false},
    {task, "body", R"({"value":"a"})", R"({"type":"html","value":"a"})", false},
    {appointment, "isAllDayEvent", "false", "false", true},
    {appointment, "isAllDayEvent", "false", "true", false},
    {appointment, "isAllDayEvent", "false", "null", false},
    {appointment, "reminderMinutesBeforeStart", "15", "15", true},
    {appointment, "reminderMinutesBeforeStart", "15", "0", false},
    {appointment, "reminderMinutesBeforeStart", "0", "null", false},
    {task, "percentComplete", "50", "50.0", true},
    {task, "percentComplete", "50", "51", false},
    {email, "dateTimeSent", R"("2026-11-22T10:00:00Z")", R"("2026-11-22T10:00:01Z")", false},
    {contact, "birthday", R"("2026-11-22")", R"("2026-11-22")", true},
    {appointment, "start", R"("2026-11-22")", R"("2026-11-22T00:00:00Z")", false},
    {task, "status", R"("Completed")", R"("Completed")", true},
    {task, "status", R"("Completed")", R"("Deferred")", false},
    {task, "categories", R"(["a","b"])", R"(["b","a"])", true},
    {task, "categories", R"(["a","b"])", R"(["a"])", false},
    {task, "categories", "[]", "null", true},
    {appointment, "organizer", R"({"emailAddress":"A@x"})", R"({"emailAddress":"a@X","name":"A"})", true},
    {appointment, "organizer", R"({"emailAddress":"a@x"})", R"({"emailAddress":"b@x"})", false},
    {appointment, "organizer", R"({})", "null", true},
    {email, "toRecipients", R"([{"emailAddress":"a@x"},{"name":"B"}])",
     R"([{"name":"b"},{"emailAddress":"A@x"}])", true},
    {email, "toRecipients", R"([{"emailAddress":"a@x"}])", R"([{"emailAddress":"c@x"}])", false},
    // Answers are not ours to write (invariant 11).
    {appointment, "requiredAttendees", R"([{"mailbox":{"emailAddress":"a@x"},"responseType":"Accept"}])",
     R"([{"mailbox":{"emailAddress":"A@X"}}])", true},
    {appointment, "requiredAttendees", R"([{"mailbox":{"emailAddress":"a@x"}}])",
     R"([{"mailbox":{"emailAddress":"b@x"}}])", false},
    {contact, "phoneNumbers", R"({"HomePhone":"1","Pager":null})", R"({"HomePhone":"1 ","Telex":""})", true},
    {contact, "phoneNumbers", R"({"HomePhone":"1"})", R"({"HomePhone":"1","Pager":"2"})", false},
    {contact, "phoneNumbers", R"({"HomePhone":null})", "null", true},
    {contact, "physicalAddresses", R"({"Home":{"city":"Kiel"},"Other":{}})",
     R"({"Home":{"city":"Kiel","state":""}})", true},
    {contact, "physicalAddresses", R"({"Home":{"city":"Kiel"}})", R"({"Home":{"city":"Bonn"}})", false},
    {contact, "physicalAddresses", R"({"Home":{"city":null}})", "null", true},
    {task, "recurrence", R"({"pattern":{"type":"daily","interval":1},"range":{}})",
     R"({"range":{},"pattern":{"interval":1,"type":"daily"}})", true},
    {task, "recurrence", R"({"pattern":{"type":"daily"},"range":{}})",
     R"({"pattern":{"type":"weekly"},"range":{}})", false},
    {appointment, "startTimeZone", R"({"id":"UTC"})", R"({"id":"utc","definition":{}})", true},
    {appointment, "startTimeZone", R"({"id":"UTC"})", R"({"id":"GMT Standard Time"})", false},
    {appointment, "modifiedOccurrences",
     R"([{"originalStart":"2026-11-22","subject":"a"},{"originalStart":"2026-11-23","subject":"b"}])",
     R"([{"originalStart":"2026-11-23","subject":"b "},{"originalStart":"2026-11-22","subject":"a"}])", true},
    {appointment, "modifiedOccurrences", R"([{"originalStart":"2026-11-22","location":null}])",
     R"([{"originalStart":"2026-11-22"}])", false},
    {appointment, "modifiedOccurrences", R"([{"originalStart":"2026-11-22","location":"a"}])",
     R"([{"originalStart":"2026-11-22","location":null}])", false},
    {appointment, "modifiedOccurrences", R"([{"originalStart":"2026-11-22"}])", "[]", false},
    {appointment, "deletedOccurrences", R"(["2026-11-22","2026-11-23"])", R"(["2026-11-23","2026-11-22"])",
     true},
    {contact, "photo", R"({"sha256":"00"})", R"({"sha256":"01"})", false},
    {task, "regarding", R"("1")", R"("2")", false},
};

class SameValue : public testing::TestWithParam<Pair> {};

TEST_P(SameValue, HoldsInBothDirections) {
  const Pair& pair = GetParam();
  const FieldInfo* info = find_field(pair.kind, pair.field);
  ASSERT_NE(info, nullptr);
  const FieldValue a = json::parse(pair.a);
  const FieldValue b = json::parse(pair.b);
  EXPECT_EQ(same_value(*info, a, b), pair.same);
  EXPECT_EQ(same_value(*info, b, a), pair.same);
  EXPECT_TRUE(same_value(*info, a, a));
}

INSTANTIATE_TEST_SUITE_P(AllTypes, SameValue, testing::ValuesIn(pairs));

TEST(SameValueOfAnything, SurvivesValuesOfTheWrongShape) {
  const char* shapes[] = {"null",
                          "1",
                          "true",
                          R"("x")",
                          "[]",
                          "[1,null,{},[[]]]",
                          "{}",
                          R"({"type":1,"value":2})",
                          R"({"mailbox":1,"id":2,"originalStart":3})"};
  for (const RecordKind kind : record_kinds)
    for (const FieldInfo& info : fields_of(kind))
      for (const char* a : shapes)
        for (const char* b : shapes) {
          const FieldValue left = json::parse(a);
          const FieldValue right = json::parse(b);
          EXPECT_EQ(same_value(info, left, right), same_value(info, right, left))
              << info.name << " " << a << " " << b;
          static_cast<void>(canonical(info, left));
        }
}

TEST(ElementKey, FoldsTheAddressAndFallsBackOnTheName) {
  const FieldInfo& attendees = *find_field(appointment, "requiredAttendees");
  EXPECT_EQ(element_key(attendees, json::parse(R"({"mailbox":{"emailAddress":"A@X","name":"N"}})")), "a@x");
  EXPECT_EQ(element_key(attendees, json::parse(R"({"mailbox":{"name":"N"}})")), "n");
  EXPECT_EQ(element_key(attendees, json::parse(R"({"mailbox":{}})")), "");
  EXPECT_EQ(element_key(attendees, json::parse("[]")), "");
}

}  // namespace
}  // namespace syncline::model
