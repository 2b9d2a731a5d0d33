// SPDX-License-Identifier: GPL-3.0-or-later
// What may stand in a field, and the one shape it is stored in.
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <limits>
#include <set>
#include <string>

#include "model/field_catalogue.hpp"
#include "model/policies.hpp"

namespace syncline::model {
namespace {

namespace json = boost::json;

const FieldInfo& field(RecordKind kind, std::string_view name) {
  const FieldInfo* found = find_field(kind, name);
  EXPECT_NE(found, nullptr) << name;
  return *found;
}

struct Given {
  RecordKind kind;
  std::string_view field;
  std::string_view given;
  std::string_view stored;  ///< empty: refused
};

void PrintTo(const Given& given, std::ostream* out) {
  *out << to_string(given.kind) << " " << given.field << " " << given.given;
}

constexpr auto email = RecordKind::email;
constexpr auto appointment = RecordKind::appointment;
constexpr auto contact = RecordKind::contact;
constexpr auto task = RecordKind::task;

constexpr Given givens[] = {
    // text
    {appointment, "subject", R"("Plan")", R"("Plan")"},
    {appointment, "subject", R"("a\r\nb\rc\n\rd")", R"("a\nb\nc\n\nd")"},
    {appointment, "subject", R"("a\tb\u0001c")",
     "\"a\\tb\xEF\xBF\xBD"
     "c\""},
    {appointment, "subject", R"("  kept ")", R"("  kept ")"},
    {appointment, "subject", R"("")", R"("")"},
    {appointment, "subject", "null", "null"},
    {appointment, "subject", "1", ""},
    {appointment, "subject", R"(["a"])", ""},
    {appointment, "subject", R"({"a":1})", ""},
    // body
    {task, "body", R"({"type":"html","value":"<p>a</p>"})", R"({"type":"html","value":"<p>a</p>"})"},
    {task, "body", R"({"value":"a\r\nb","type":"text"})", R"({"type":"text","value":"a\nb"})"},
    {task, "body", R"({"type":"rtf","value":"a"})", ""},
    {task, "body", R"({"type":"HTML","value":"a"})", ""},
    {task, "body", R"({"type":"html"})", ""},
    {task, "body", R"({"type":"html","value":null})", ""},
    {task, "body", R"({"type":"html","value":"a","more":1})", ""},
    {task, "body", R"("a")", ""},
    // boolean
    {appointment, "isAllDayEvent", "true", "true"},
    {appointment, "isAllDayEvent", "0", ""},
    {appointment, "isAllDayEvent", R"("true")", ""},
    // integer
    {appointment, "reminderMinutesBeforeStart", "15", "15"},
    {appointment, "reminderMinutesBeforeStart", "-2147483648", "-2147483648"},
    {appointment, "reminderMinutesBeforeStart", "2147483647", "2147483647"},
    {appointment, "reminderMinutesBeforeStart", "2147483648", ""},
    {appointment, "reminderMinutesBeforeStart", "-2147483649", ""},
    {appointment, "reminderMinutesBeforeStart", "18446744073709551615", ""},
    {appointment, "reminderMinutesBeforeStart", "15.0", ""},
    {appointment, "reminderMinutesBeforeStart", R"("15")", ""},
    // number
    {task, "percentComplete", "50", "5E1"},
    {task, "percentComplete", "12.5", "1.25E1"},
    {task, "percentComplete", R"("50")", ""},
    // instant
    {email, "dateTimeSent", R"("2026-11-22T10:00:00Z")", R"("2026-11-22T10:00:00Z")"},
    {email, "dateTimeSent", R"("2026-11-22T10:00:00.123Z")", R"("2026-11-22T10:00:00Z")"},
    {email, "dateTimeSent", R"("2026-11-22T23:59:59Z")", R"("2026-11-22T23:59:59Z")"},
    {email, "dateTimeSent", R"("2026-11-22T10:00:00.Z")", ""},
    {email, "dateTimeSent", R"("2026-11-22T24:00:00Z")", ""},
    {email, "dateTimeSent", R"("2026-11-22T10:60:00Z")", ""},
    {email, "dateTimeSent", R"("2026-11-22T10:00:60Z")", ""},
    {email, "dateTimeSent", R"("2026-02-30T10:00:00Z")", ""},
    {email, "dateTimeSent", R"("2026-11-22T10:00:00")", ""},
    {email, "dateTimeSent", R"("2026-11-22T10:00:00+01:00")", ""},
    {email, "dateTimeSent", R"("2026-11-22 10:00:00Z")", ""},
    {email, "dateTimeSent", R"("2026-11-22T1a:00:00Z")", ""},
    {email, "dateTimeSent", R"("2026-11-22")", ""},
    {email, "dateTimeSent", "1", ""},
    // date
    {contact, "birthday", R"("2024-02-29")", R"("2024-02-29")"},
    {contact, "birthday", R"("2026-02-29")", ""},
    {contact, "birthday", R"("2026-2-01")", ""},
    {contact, "birthday", R"("2026-13-01")", ""},
    {contact, "birthday", R"("-026-01-01")", ""},
    {contact, "birthday", R"("2026-11-22T00:00:00Z")", ""},
    // time_or_date
    {appointment, "start", R"("2026-11-22")", R"("2026-11-22")"},
    {appointment, "start", R"("2026-11-22T10:00:00Z")", R"("2026-11-22T10:00:00Z")"},
    {appointment, "start", R"("tomorrow")", ""},
    {appointment, "start", "20261122", ""},
    // choice
    {appointment, "legacyFreeBusyStatus", R"("Busy")", R"("Busy")"},
    {appointment, "legacyFreeBusyStatus", R"("oof")", R"("OOF")"},
    {appointment, "legacyFreeBusyStatus", R"("Away")", ""},
    {appointment, "legacyFreeBusyStatus", R"("")", ""},
    {appointment, "legacyFreeBusyStatus", "2", ""},
    // words
    {task, "categories", R"([" a ","b","a"])", R"(["a","b"])"},
    {task, "categories", R"(["",null," "])", ""},
    {task, "categories", R"([""," "])", "[]"},
    {task, "categories", "[]", "[]"},
    {task, "categories", R"("a")", ""},
    {task, "categories", R"([1])", ""},
    // person, people
    {appointment, "organizer", R"({"emailAddress":" A@x.example ","name":null})",
     R"({"emailAddress":"A@x.example"})"},
    {appointment, "organizer", R"({"address":"a@x.example"})", ""},
    {appointment, "organizer", R"({"name":1})", ""},
    {appointment, "organizer", R"("a@x.example")", ""},
    {email, "toRecipients", R"([{"emailAddress":"a@x.example"},{"emailAddress":"A@X.example","name":"A"}])",
     R"([{"emailAddress":"a@x.example"}])"},
    {email, "toRecipients", R"([{"name":"A"},{}])", R"([{"name":"A"}])"},
    {email, "toRecipients", R"(["a@x.example"])", ""},
    // attendees
    {appointment, "requiredAttendees",
     R"([{"mailbox":{"emailAddress":"a@x.example"},"responseType":"Accept","lastResponseTime":null}])",
     R"([{"mailbox":{"emailAddress":"a@x.example"},"responseType":"Accept"}])"},
    {appointment, "requiredAttendees", R"([{"emailAddress":"a@x.example"}])", ""},
    {appointment, "requiredAttendees", R"([{"responseType":"Accept"}])", ""},
    {appointment, "requiredAttendees", R"([{"mailbox":{"emailAddress":"a@x.example"},"responseType":1}])",
     ""},
    // entries
    {contact, "phoneNumbers", R"({"HomePhone":" 1 ","MobilePhone":null})",
     R"({"HomePhone":"1","MobilePhone":null})"},
    {contact, "phoneNumbers", R"({"homePhone":"1"})", ""},
    {contact, "phoneNumbers", R"({"HomePhone":1})", ""},
    {contact, "phoneNumbers", R"([])", ""},
    // addresses
    {contact, "physicalAddresses", R"({"Home":{"city":"Kiel","street":null,"state":""},"Other":null})",
     R"({"Home":{"city":"Kiel"},"Other":null})"},
    {contact, "physicalAddresses", R"({"Home":{"town":"Kiel"}})", ""},
    {contact, "physicalAddresses", R"({"Holiday":{"city":"Kiel"}})", ""},
    {contact, "physicalAddresses", R"({"Home":"Kiel"})", ""},
    // recurrence
    {task, "recurrence", R"({"pattern":{"type":"daily","interval":1},"range":{"type":"noEnd"}})",
     R"({"pattern":{"type":"daily","interval":1},"range":{"type":"noEnd"}})"},
    {task, "recurrence", R"({"pattern":{"type":"daily"}})", ""},
    {task, "recurrence", R"({"pattern":"daily","range":{}})", ""},
    {task, "recurrence", R"({"pattern":{},"range":{},"more":1})", ""},
    {task, "recurrence", R"("FREQ=DAILY")", ""},
    // zone
    {appointment, "startTimeZone", R"({"id":"W. Europe Standard Time"})",
     R"({"id":"W. Europe Standard Time"})"},
    {appointment, "startTimeZone", R"({"id":""})", ""},
    {appointment, "startTimeZone", R"({"definition":{}})", ""},
    {appointment, "startTimeZone", R"("UTC")", ""},
    // occurrences, instants
    {appointment, "modifiedOccurrences",
     R"([{"originalStart":"2026-11-22T10:00:00.5Z","location":null,"subject":"a\r\nb"}])",
     R"([{"originalStart":"2026-11-22T10:00:00Z","location":null,"subject":"a\nb"}])"},
    {appointment, "modifiedOccurrences", R"([{"subject":"a"}])", ""},
    {appointment, "modifiedOccurrences", R"([{"originalStart":"2026-11-22","colour":"red"}])", ""},
    {appointment, "modifiedOccurrences", R"([{"originalStart":"2026-11-22","modifiedOccurrences":[]}])", ""},
    {appointment, "modifiedOccurrences",
     R"([{"originalStart":"2026-11-22","recurrence":{"pattern":{},"range":{}}}])", ""},
    {appointment, "deletedOccurrences", R"(["2026-11-22","2026-11-22","2026-11-23T10:00:00Z"])",
     R"(["2026-11-22","2026-11-23T10:00:00Z"])"},
    {appointment, "deletedOccurrences", R"(["some day"])", ""},
    // attachments, photo, record
    {email, "attachments", R"([{"id":"1","name":"a.txt"}])", R"([{"id":"1","name":"a.txt"}])"},
    {email, "attachments", R"([1])", ""},
    {email, "attachments", R"({})", ""},
    {contact, "photo", R"({"sha256":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"})",
     R"({"sha256":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"})"},
    {contact, "photo", R"({"sha256":"00"})", ""},
    {appointment, "attachments", R"([{"name":"a","sha256":"../../x"}])", ""},
    {contact, "photo", R"("00")", ""},
    {task, "regarding", R"("42")", R"("42")"},
    {task, "regarding", "42", ""},
    {task, "regarding", R"("x")", ""},
};

class Canonical : public testing::TestWithParam<Given> {};

TEST_P(Canonical, StoresOneShapeOrRefusesNamingTheField) {
  const Given& given = GetParam();
  const FieldInfo& info = field(given.kind, given.field);
  const auto stored = canonical(info, json::parse(given.given));
  if (given.stored.empty()) {
    ASSERT_FALSE(stored) << json::serialize(*stored);
    EXPECT_EQ(stored.error().domain, ErrorDomain::input);
    EXPECT_EQ(stored.error().code, "bad-value");
    EXPECT_NE(stored.error().message.find(" must be "), std::string::npos);
    return;
  }
  ASSERT_TRUE(stored) << stored.error().describe();
  EXPECT_EQ(*stored, json::parse(given.stored)) << json::serialize(*stored);
  const auto again = canonical(info, *stored);
  ASSERT_TRUE(again) << again.error().describe();
  EXPECT_EQ(*again, *stored);
}

INSTANTIATE_TEST_SUITE_P(AllTypes, Canonical, testing::ValuesIn(givens));

TEST(CanonicalLimits, ATextOfFourMebioctetsIsTakenAndALongerOneIsTooLarge) {
  const FieldInfo& subject = field(appointment, "subject");
  EXPECT_TRUE(canonical(subject, json::value(std::string(field_text_limit_octets, 'x'))));
  const auto refused = canonical(subject, json::value(std::string(field_text_limit_octets + 1, 'x')));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "too-large");
}

TEST(CanonicalLimits, ATextThatGrowsOverTheLimitWhenItIsCleanedIsTooLarge) {
  const auto refused =
      canonical(field(appointment, "subject"), json::value(std::string(field_text_limit_octets / 2, '\xff')));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "too-large");
}

TEST(CanonicalLimits, SetsAndOpenDictionariesHaveALimit) {
  json::array words;
  json::object states;
  for (std::size_t i = 0; i <= field_elements_limit; ++i) {
    words.push_back(json::value(std::to_string(i)));
    states[std::to_string(i)] = "sent";
  }
  const auto refused = canonical(field(task, "categories"), words);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "too-large");
  const auto dictionary = canonical(field(email, "recipientStates"), states);
  ASSERT_FALSE(dictionary);
  EXPECT_EQ(dictionary.error().code, "too-large");
  words.pop_back();
  EXPECT_TRUE(canonical(field(task, "categories"), words));
  json::array attachments(field_elements_limit + 1, json::object{});
  const auto many = canonical(field(email, "attachments"), attachments);
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().code, "too-large");
}

TEST(CanonicalNumbers, InfinityAndNotANumberAreRefused) {
  const FieldInfo& percent = field(task, "percentComplete");
  EXPECT_FALSE(canonical(percent, json::value(std::numeric_limits<double>::infinity())));
  EXPECT_FALSE(canonical(percent, json::value(std::numeric_limits<double>::quiet_NaN())));
}

TEST(Catalogue, EveryFieldIsFoundByItsNameAndTakesNull) {
  for (const RecordKind kind : record_kinds) {
    std::set<std::string_view> names;
    for (const FieldInfo& info : fields_of(kind)) {
      EXPECT_TRUE(names.insert(info.name).second) << info.name;
      EXPECT_EQ(find_field(kind, info.name), &info);
      EXPECT_TRUE(canonical(info, nullptr)) << info.name;
      EXPECT_EQ(info.type == FieldType::choice, info.type == FieldType::choice && !info.choices.empty())
          << info.name;
    }
  }
  EXPECT_EQ(find_field(contact, "percentComplete"), nullptr);
}

TEST(Catalogue, DirectionsHaveWordsBothWays) {
  for (const Direction direction :
       {Direction::both, Direction::to_exchange, Direction::to_record, Direction::none})
    EXPECT_EQ(parse_direction(to_string(direction)), direction);
  EXPECT_EQ(parse_direction("sideways"), std::nullopt);
}

TEST(Catalogue, APolicyTurnsOnlyFieldsThatAreSettable) {
  Policies policies;
  policies.directions[{appointment, "location"}] = Direction::none;
  policies.directions[{appointment, "start"}] = Direction::none;
  EXPECT_EQ(policies.direction_of(appointment, field(appointment, "location")), Direction::none);
  EXPECT_EQ(policies.direction_of(appointment, field(appointment, "start")), Direction::both);
}

TEST(Invariant11, ResponsesAndTheOrganizerOnlyComeIn) {
  EXPECT_EQ(field(appointment, "organizer").direction, Direction::to_record);
  EXPECT_EQ(field(appointment, "myResponseType").direction, Direction::to_record);
  EXPECT_FALSE(field(appointment, "myResponseType").settable);
}

}  // namespace
}  // namespace syncline::model
