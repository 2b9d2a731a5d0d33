// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/field_catalogue.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/text.hpp"

namespace syncline::model {
namespace {

namespace json = boost::json;
using enum FieldType;

constexpr std::string_view importances[] = {"Low", "Normal", "High"};
constexpr std::string_view sensitivities[] = {"Normal", "Personal", "Private", "Confidential"};
constexpr std::string_view busy_states[] = {"Free", "Tentative", "Busy", "OOF", "WorkingElsewhere", "NoData"};
constexpr std::string_view responses[] = {"Unknown", "Organizer", "Tentative",
                                          "Accept",  "Decline",   "NoResponseReceived"};
constexpr std::string_view task_states[] = {"NotStarted", "InProgress", "Completed", "WaitingOnOthers",
                                            "Deferred"};
constexpr std::string_view directions[] = {"incoming", "outgoing"};
constexpr std::string_view email_keys[] = {"EmailAddress1", "EmailAddress2", "EmailAddress3"};
constexpr std::string_view im_keys[] = {"ImAddress1", "ImAddress2", "ImAddress3"};
constexpr std::string_view address_keys[] = {"Business", "Home", "Other"};
constexpr std::string_view phone_keys[] = {
    "AssistantPhone", "BusinessFax",      "BusinessPhone", "BusinessPhone2", "Callback",
    "CarPhone",       "CompanyMainPhone", "HomeFax",       "HomePhone",      "HomePhone2",
    "Isdn",           "MobilePhone",      "OtherFax",      "OtherTelephone", "Pager",
    "PrimaryPhone",   "RadioPhone",       "Telex",         "TtyTddPhone"};

constexpr auto both = Direction::both;
constexpr auto out = Direction::to_exchange;
constexpr auto in = Direction::to_record;
constexpr auto none = Direction::none;
constexpr bool fixed = false;

constexpr FieldInfo email_fields[] = {
    {"subject", text, in, fixed},
    {"direction", choice, none, fixed, directions},
    {"statusCode", text, none, fixed},
    {"statusReason", text, none, fixed},
    {"from", person, in, fixed},
    {"sender", person, in, fixed},
    {"toRecipients", people, in, fixed},
    {"ccRecipients", people, in, fixed},
    {"bccRecipients", people, in, fixed},
    {"replyTo", people, in, fixed},
    {"recipientStates", entries, none, fixed},
    {"dateTimeSent", instant, in, fixed},
    {"dateTimeReceived", instant, in, fixed},
    {"body", body, in, fixed},
    {"internetMessageId", text, in, fixed},
    {"inReplyTo", text, in, fixed},
    {"references", text, in, fixed},
    {"conversationIndex", text, in, fixed},
    {"conversationTopic", text, in, fixed},
    {"trackingToken", text, none, fixed},
    {"importance", choice, in, fixed, importances},
    {"sensitivity", choice, in, fixed, sensitivities},
    {"categories", words, both},
    {"isRead", boolean, in},
    {"itemClass", text, in, fixed},
    {"isEncrypted", boolean, in, fixed},
    {"attachments", attachments, in, fixed},
    {"mime", photo, in, fixed},
    {"fingerprint", text, none, fixed},
    {"regarding", record, none, fixed},
    {"parties", entries, none, fixed},
};

constexpr FieldInfo appointment_fields[] = {
    {"subject", text, both},
    {"body", body, both},
    {"location", text, both},
    {"start", time_or_date, both, fixed},
    {"end", time_or_date, both, fixed},
    {"isAllDayEvent", boolean, both, fixed},
    {"startTimeZone", zone, both, fixed},
    {"endTimeZone", zone, both, fixed},
    {"recurrence", recurrence, both, fixed},
    {"modifiedOccurrences", occurrences, both, fixed},
    {"deletedOccurrences", instants, both, fixed},
    {"organizer", person, in, fixed},
    {"requiredAttendees", attendees, both, fixed},
    {"optionalAttendees", attendees, both, fixed},
    {"resources", attendees, both, fixed},
    {"myResponseType", choice, in, fixed, responses},
    {"isCancelled", boolean, in, fixed},
    {"legacyFreeBusyStatus", choice, both, fixed, busy_states},
    {"importance", choice, both, fixed, importances},
    {"sensitivity", choice, both, fixed, sensitivities},
    {"categories", words, both},
    {"reminderIsSet", boolean, both},
    {"reminderMinutesBeforeStart", integer, both},
    {"attachments", attachments, none},
    {"uid", text, in, fixed},
    {"statusCode", text, none, fixed},
    {"regarding", record, none, fixed},
};

constexpr FieldInfo contact_fields[] = {
    {"displayName", text, both},
    {"fileAs", text, both},
    {"givenName", text, both, fixed},
    {"middleName", text, both, fixed},
    {"surname", text, both, fixed},
    {"initials", text, both},
    {"title", text, both},
    {"generation", text, both},
    {"nickname", text, both},
    {"phoneticGivenName", text, both},
    {"phoneticSurname", text, both},
    {"companyName", text, both, fixed},
    {"department", text, both},
    {"jobTitle", text, both},
    {"profession", text, both},
    {"officeLocation", text, both},
    {"manager", text, both},
    {"assistantName", text, both},
    {"spouseName", text, both},
    {"children", words, both},
    {"birthday", date, both},
    {"weddingAnniversary", date, both},
    {"emailAddresses", entries, both, true, email_keys},
    {"phoneNumbers", entries, both, true, phone_keys},
    {"imAddresses", entries, both, true, im_keys},
    {"physicalAddresses", addresses, both, true, address_keys},
    {"businessHomePage", text, both},
    {"ftpSite", text, both},
    {"governmentId", text, both},
    {"body", body, both},
    {"categories", words, both},
    {"sensitivity", choice, both, fixed, sensitivities},
    {"photo", photo, both},
    {"regarding", record, none, fixed},
};

constexpr FieldInfo task_fields[] = {
    {"subject", text, both},
    {"body", body, both},
    {"startDate", date, both},
    {"dueDate", date, both},
    {"status", choice, both, fixed, task_states},
    {"percentComplete", number, both},
    {"completeDate", date, both},
    {"recurrence", recurrence, both, fixed},
    {"importance", choice, both, fixed, importances},
    {"sensitivity", choice, both, fixed, sensitivities},
    {"categories", words, both},
    {"totalWork", integer, both},
    {"actualWork", integer, both},
    {"reminderIsSet", boolean, out},
    {"reminderDueBy", instant, out},
    {"delegator", text, in, fixed},
    {"regarding", record, none, fixed},
};

constexpr std::string_view address_parts[] = {"street", "city", "state", "countryOrRegion", "postalCode"};

unexpected<Error> bad(const FieldInfo& field, std::string_view must) {
  return fail(ErrorDomain::input, "bad-value", std::string(field.name) + " must be " + std::string(must));
}

unexpected<Error> too_long(const FieldInfo& field) {
  return fail(
      ErrorDomain::input, "too-large",
      std::string(field.name) + " is longer than " + std::to_string(field_text_limit_octets) + " octets");
}
unexpected<Error> too_many(const FieldInfo& field) {
  return fail(
      ErrorDomain::input, "too-large",
      std::string(field.name) + " has more than " + std::to_string(field_elements_limit) + " elements");
}

/// UTF-8 with LF line ends; no other control characters but tab.
Result<std::string> clean_text(const FieldInfo& field, std::string_view given) {
  if (given.size() > field_text_limit_octets) return too_long(field);
  // Most texts are ASCII without control characters: nothing to clean.
  const bool plain = std::all_of(given.begin(), given.end(),
                                 [](char c) { return static_cast<unsigned char>(c) - 0x20U < 0x5fU; });
  if (plain) return std::string(given);
  const std::string valid = text::to_xml_text(given);
  std::string clean;
  clean.reserve(valid.size());
  for (std::size_t i = 0; i < valid.size(); ++i) {
    if (valid[i] != '\r')
      clean += valid[i];
    else if (i + 1 == valid.size() || valid[i + 1] != '\n')
      clean += '\n';
  }
  // Replacement characters take more octets than what they replace.
  if (clean.size() > field_text_limit_octets) return too_long(field);
  return clean;
}

Result<std::string> text_of(const FieldInfo& field, const json::value& value,
                            std::string_view must = "a text") {
  if (!value.is_string()) return bad(field, must);
  return clean_text(field, value.get_string());
}

bool digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  if (!digits(text.substr(0, 4)) || !digits(text.substr(5, 2)) || !digits(text.substr(8, 2))) return false;
  const std::chrono::year_month_day day{
      std::chrono::year(static_cast<int>(*text::parse_int(text.substr(0, 4)))),
      std::chrono::month(static_cast<unsigned>(*text::parse_int(text.substr(5, 2)))),
      std::chrono::day(static_cast<unsigned>(*text::parse_int(text.substr(8, 2))))};
  return day.ok();
}

/// "2026-11-22T10:00:00Z"; a fraction is dropped: EWS keeps whole seconds.
std::optional<std::string> instant_text(std::string_view text) {
  if (text.size() < 20 || text.back() != 'Z' || !is_date(text.substr(0, 10)) || text[10] != 'T')
    return std::nullopt;
  const std::string_view clock = text.substr(11, 8);
  if (clock[2] != ':' || clock[5] != ':' || !digits(clock.substr(0, 2)) || !digits(clock.substr(3, 2)) ||
      !digits(clock.substr(6, 2)))
    return std::nullopt;
  if (clock.substr(0, 2) > "23" || clock.substr(3, 2) > "59" || clock.substr(6, 2) > "59")
    return std::nullopt;
  const std::string_view fraction = text.substr(19, text.size() - 20);
  if (!fraction.empty() && (fraction[0] != '.' || !digits(fraction.substr(1)))) return std::nullopt;
  return std::string(text.substr(0, 19)) + "Z";
}

Result<json::value> canonical_person(const FieldInfo& field, const json::value& value) {
  constexpr std::string_view must = R"(an object {"name","emailAddress"})";
  if (!value.is_object()) return bad(field, must);
  json::object person;
  for (const auto& [key, part] : value.get_object()) {
    if (key != "name" && key != "emailAddress") return bad(field, must);
    if (part.is_null()) continue;
    auto said = text_of(field, part, must);
    if (!said) return fail(std::move(said.error()));
    const std::string_view trimmed = text::trim(*said);
    if (!trimmed.empty()) person[key] = trimmed;
  }
  return person;
}

Result<json::value> canonical_attendee(const FieldInfo& field, const json::value& value) {
  constexpr std::string_view must =
      R"(objects {"mailbox":{"name","emailAddress"},"responseType","lastResponseTime"})";
  if (!value.is_object()) return bad(field, must);
  json::object attendee;
  for (const auto& [key, part] : value.get_object()) {
    if (part.is_null()) continue;
    if (key == "mailbox") {
      auto person = canonical_person(field, part);
      if (!person) return person;
      attendee[key] = std::move(*person);
    } else if (key == "responseType" || key == "lastResponseTime") {
      auto said = text_of(field, part, must);
      if (!said) return fail(std::move(said.error()));
      attendee[key] = *said;
    } else {
      return bad(field, must);
    }
  }
  if (!attendee.contains("mailbox")) return bad(field, must);
  return attendee;
}

template <class Each>
Result<json::value> canonical_set(const FieldInfo& field, const json::value& value, Each each) {
  if (!value.is_array()) return bad(field, "an array");
  if (value.get_array().size() > field_elements_limit) return too_many(field);
  json::array elements;
  std::set<std::string> seen;
  for (const json::value& element : value.get_array()) {
    Result<json::value> one = each(element);
    if (!one) return one;
    if (element_key(field, *one).empty()) continue;
    if (seen.insert(element_key(field, *one)).second) elements.push_back(std::move(*one));
  }
  return elements;
}

bool allowed(const FieldInfo& field, std::string_view key) {
  return field.choices.empty() ||
         std::find(field.choices.begin(), field.choices.end(), key) != field.choices.end();
}

std::string listed(std::span<const std::string_view> words_) {
  std::string all;
  for (const std::string_view word : words_) all.append(all.empty() ? "" : ", ").append(word);
  return all;
}

Result<json::value> canonical_entries(const FieldInfo& field, const json::value& value) {
  if (!value.is_object()) return bad(field, "an object");
  if (value.get_object().size() > field_elements_limit) return too_many(field);
  json::object dictionary;
  for (const auto& [key, part] : value.get_object()) {
    if (!allowed(field, key)) return bad(field, "an object with keys among " + listed(field.choices));
    if (part.is_null()) {
      dictionary[key] = nullptr;
      continue;
    }
    auto said = text_of(field, part, "an object of texts");
    if (!said) return fail(std::move(said.error()));
    dictionary[key] = text::trim(*said);
  }
  return dictionary;
}

Result<json::value> canonical_addresses(const FieldInfo& field, const json::value& value) {
  const std::string must =
      "an object with keys among " + listed(field.choices) + "; each an object with " + listed(address_parts);
  if (!value.is_object()) return bad(field, must);
  json::object dictionary;
  for (const auto& [key, part] : value.get_object()) {
    if (!allowed(field, key)) return bad(field, must);
    if (part.is_null()) {
      dictionary[key] = nullptr;
      continue;
    }
    if (!part.is_object()) return bad(field, must);
    json::object address;
    for (const auto& [name, text_value] : part.get_object()) {
      if (std::find(std::begin(address_parts), std::end(address_parts), name) == std::end(address_parts))
        return bad(field, must);
      if (text_value.is_null()) continue;
      auto said = text_of(field, text_value, must);
      if (!said) return fail(std::move(said.error()));
      if (!said->empty()) address[name] = *said;
    }
    dictionary[key] = std::move(address);
  }
  return dictionary;
}

Result<json::value> canonical_body(const FieldInfo& field, const json::value& value) {
  constexpr std::string_view must = R"(an object {"type":"html"|"text","value"})";
  if (!value.is_object()) return bad(field, must);
  const json::object& object = value.get_object();
  const json::value* type = object.if_contains("type");
  const json::value* said = object.if_contains("value");
  if (type == nullptr || said == nullptr || object.size() != 2 || !type->is_string() ||
      (type->get_string() != "html" && type->get_string() != "text"))
    return bad(field, must);
  auto clean = text_of(field, *said, must);
  if (!clean) return fail(std::move(clean.error()));
  return json::object{{"type", *type}, {"value", *clean}};
}

/// Null, an empty text, an empty set, a body without text, a dictionary of such: nothing is said.
bool says_nothing(const FieldInfo& field, const json::value& value) {
  if (value.is_null()) return true;
  if (const json::string* said = value.if_string()) return text::trim(*said).empty();
  if (const json::array* elements = value.if_array()) return elements->empty();
  if (const json::object* object = value.if_object()) {
    if (field.type == body) {
      const json::value* said = object->if_contains("value");
      return said == nullptr || !said->is_string() || text::trim(said->get_string()).empty();
    }
    if (field.type == entries || field.type == addresses)
      return std::all_of(object->begin(), object->end(), [&](const auto& entry) {
        return says_nothing({.name = field.name, .type = addresses}, entry.value());
      });
    return object->empty();
  }
  return false;
}

std::string_view without_trailing_space(std::string_view text) {
  while (!text.empty() &&
         (text.back() == ' ' || text.back() == '\n' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

bool same_set(const FieldInfo& field, const json::array& a, const json::array& b) {
  std::set<std::string> keys_a;
  std::set<std::string> keys_b;
  for (const json::value& element : a) keys_a.insert(element_key(field, element));
  for (const json::value& element : b) keys_b.insert(element_key(field, element));
  return keys_a == keys_b;
}

/// An entry that only one side names may still say nothing.
bool same_dictionary(const FieldInfo& field, const json::object& a, const json::object& b) {
  const auto covered = [&](const json::object& one, const json::object& other) {
    return std::all_of(one.begin(), one.end(), [&](const auto& entry) {
      const FieldInfo inner{.name = field.name, .type = field.type == addresses ? entries : text};
      const json::value* match = other.if_contains(entry.key());
      return same_value(inner, entry.value(), match == nullptr ? json::value() : *match);
    });
  };
  return covered(a, b) && covered(b, a);
}

bool same_occurrences(const json::array& a, const json::array& b) {
  const auto by_start = [](const json::array& elements) {
    std::vector<const json::object*> sorted;
    for (const json::value& element : elements)
      if (element.is_object()) sorted.push_back(&element.get_object());
    std::sort(sorted.begin(), sorted.end(), [](const json::object* left, const json::object* right) {
      const auto start = [](const json::object* object) {
        const json::value* value = object->if_contains("originalStart");
        return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                      : std::string_view();
      };
      return start(left) < start(right);
    });
    return sorted;
  };
  const auto left = by_start(a);
  const auto right = by_start(b);
  return std::equal(
      left.begin(), left.end(), right.begin(), right.end(), [](const json::object* x, const json::object* y) {
        const auto covered = [](const json::object* one, const json::object* other) {
          return std::all_of(one->begin(), one->end(), [&](const auto& entry) {
            // A patch: a field that is not named is the series', one that is null is empty.
            const json::value* match = other->if_contains(entry.key());
            if (match == nullptr || match->is_null() != entry.value().is_null()) return false;
            const FieldInfo* inner = find_field(RecordKind::appointment, entry.key());
            return inner == nullptr ? entry.value() == *match : same_value(*inner, entry.value(), *match);
          });
        };
        return covered(x, y) && covered(y, x);
      });
}

constexpr const char* not_a_content = "files whose sha256 is one: 64 digits of 0-9 and a-f";

/// A content is named by its SHA-256, or not at all.
bool names_content_well(const json::object& file) {
  const json::value* sha256 = file.if_contains("sha256");
  if (sha256 == nullptr || sha256->is_null()) return true;
  return sha256->is_string() && sha256->get_string().size() == 64 &&
         std::string_view(sha256->get_string()).find_first_not_of("0123456789abcdef") ==
             std::string_view::npos;
}

}  // namespace

std::string_view to_string(Direction direction) noexcept {
  switch (direction) {
    case Direction::both:
      return "both";
    case Direction::to_exchange:
      return "to_exchange";
    case Direction::to_record:
      return "to_record";
    case Direction::none:
      return "none";
  }
  return "none";
}

std::optional<Direction> parse_direction(std::string_view text) noexcept {
  for (const Direction direction :
       {Direction::both, Direction::to_exchange, Direction::to_record, Direction::none})
    if (to_string(direction) == text) return direction;
  return std::nullopt;
}

std::span<const FieldInfo> fields_of(RecordKind kind) noexcept {
  switch (kind) {
    case RecordKind::email:
      return email_fields;
    case RecordKind::appointment:
      return appointment_fields;
    case RecordKind::contact:
      return contact_fields;
    case RecordKind::task:
      return task_fields;
  }
  return {};
}

const FieldInfo* find_field(RecordKind kind, std::string_view name) noexcept {
  for (const FieldInfo& field : fields_of(kind))
    if (field.name == name) return &field;
  return nullptr;
}

std::string element_key(const FieldInfo& field, const FieldValue& element) {
  if (field.type == people || field.type == attendees) {
    const json::object* person = element.if_object();
    if (person != nullptr && field.type == attendees) {
      const json::value* mailbox = person->if_contains("mailbox");
      person = mailbox == nullptr ? nullptr : mailbox->if_object();
    }
    if (person == nullptr) return {};
    for (const char* part : {"emailAddress", "name"})
      if (const json::value* said = person->if_contains(part); said != nullptr && said->is_string())
        return text::to_lower_ascii(said->get_string());
    return {};
  }
  if (field.type == occurrences) {
    const json::object* object = element.if_object();
    const json::value* start = object == nullptr ? nullptr : object->if_contains("originalStart");
    return start != nullptr && start->is_string() ? std::string(start->get_string()) : std::string();
  }
  if (field.type == attachments) {
    // The same octets under the same name are one; what is not kept here has only the server's id.
    const json::object* file = element.if_object();
    if (file == nullptr) return {};
    const std::string_view content = text_of(*file, "sha256");
    if (content.empty()) return std::string(text_of(*file, "id"));
    return std::string(content).append(text_of(*file, "name"));
  }
  if (element.is_null()) return {};
  if (element.is_string()) return std::string(element.get_string());
  return json::serialize(element);
}

Result<FieldValue> canonical(const FieldInfo& field, const FieldValue& value) {
  if (value.is_null()) return value;
  switch (field.type) {
    case text: {
      auto said = text_of(field, value);
      if (!said) return fail(std::move(said.error()));
      return json::value(*said);
    }
    case body:
      return canonical_body(field, value);
    case boolean:
      if (!value.is_bool()) return bad(field, "true or false");
      return value;
    case integer:
      if (value.is_uint64() && value.get_uint64() <= INT32_MAX)
        return static_cast<std::int64_t>(value.get_uint64());
      if (!value.is_int64() || value.get_int64() < INT32_MIN || value.get_int64() > INT32_MAX)
        return bad(field, "a whole number of at most 32 bits");
      return value;
    case number:
      if (!value.is_number() || !std::isfinite(value.to_number<double>())) return bad(field, "a number");
      return value.to_number<double>();
    case instant: {
      const auto read = value.is_string() ? instant_text(value.get_string()) : std::nullopt;
      if (!read) return bad(field, "an instant in UTC, as 2026-11-22T10:00:00Z");
      return json::value(*read);
    }
    case date:
      if (!value.is_string() || !is_date(value.get_string())) return bad(field, "a date, as 2026-11-22");
      return value;
    case time_or_date: {
      if (value.is_string() && is_date(value.get_string())) return value;
      const auto read = value.is_string() ? instant_text(value.get_string()) : std::nullopt;
      if (!read)
        return bad(field, "an instant in UTC, as 2026-11-22T10:00:00Z, or of an all-day event a date");
      return json::value(*read);
    }
    case choice: {
      if (!value.is_string()) return bad(field, "one of " + listed(field.choices));
      for (const std::string_view word : field.choices)
        if (text::equals_ignore_case(word, value.get_string())) return json::value(word);
      return bad(field, "one of " + listed(field.choices));
    }
    case words:
      return canonical_set(field, value, [&](const json::value& element) -> Result<json::value> {
        auto said = text_of(field, element, "an array of texts");
        if (!said) return fail(std::move(said.error()));
        const std::string_view trimmed = text::trim(*said);
        return trimmed.empty() ? json::value() : json::value(trimmed);
      });
    case person:
      return canonical_person(field, value);
    case people:
      return canonical_set(field, value,
                           [&](const json::value& element) { return canonical_person(field, element); });
    case attendees:
      return canonical_set(field, value,
                           [&](const json::value& element) { return canonical_attendee(field, element); });
    case entries:
      return canonical_entries(field, value);
    case addresses:
      return canonical_addresses(field, value);
    case recurrence: {
      const json::object* object = value.if_object();
      if (object == nullptr || object->size() != 2) return bad(field, R"(an object {"pattern","range"})");
      for (const char* part : {"pattern", "range"}) {
        const json::value* said = object->if_contains(part);
        if (said == nullptr || !said->is_object()) return bad(field, R"(an object {"pattern","range"})");
      }
      return value;
    }
    case zone: {
      const json::object* object = value.if_object();
      const json::value* id = object == nullptr ? nullptr : object->if_contains("id");
      if (id == nullptr || !id->is_string() || id->get_string().empty())
        return bad(field, R"(an object {"id","definition"?})");
      return value;
    }
    case occurrences:
      return canonical_set(field, value, [&](const json::value& element) -> Result<json::value> {
        constexpr std::string_view must = R"(objects {"originalStart", and what differs from the series})";
        const json::object* object = element.if_object();
        const json::value* start = object == nullptr ? nullptr : object->if_contains("originalStart");
        if (start == nullptr || !start->is_string()) return bad(field, must);
        json::object occurrence;
        for (const auto& [key, part] : *object) {
          const FieldInfo* inner = key == "originalStart" ? find_field(RecordKind::appointment, "start")
                                                          : find_field(RecordKind::appointment, key);
          if (inner == nullptr || inner->type == occurrences || inner->type == recurrence)
            return bad(field, must);
          auto one = canonical(*inner, part);
          if (!one) return one;
          occurrence[key] = std::move(*one);
        }
        return json::value(std::move(occurrence));
      });
    case instants:
      return canonical_set(field, value, [&](const json::value& element) {
        return canonical({.name = field.name, .type = time_or_date}, element);
      });
    case attachments:
      if (!value.is_array() || !std::all_of(value.get_array().begin(), value.get_array().end(),
                                            [](const json::value& element) { return element.is_object(); }))
        return bad(field, "an array of objects");
      if (value.get_array().size() > field_elements_limit) return too_many(field);
      for (const json::value& element : value.get_array())
        if (!names_content_well(element.get_object())) return bad(field, not_a_content);
      return value;
    case photo:
      if (!value.is_object()) return bad(field, R"(an object {"sha256","size","contentType"})");
      if (!names_content_well(value.get_object())) return bad(field, not_a_content);
      return value;
    case record: {
      if (!value.is_string() || !text::parse_int(value.get_string())) return bad(field, "the id of a record");
      return value;
    }
  }
  return value;
}

bool same_value(const FieldInfo& field, const FieldValue& a, const FieldValue& b) {
  if (a == b) return true;
  const bool a_empty = says_nothing(field, a);
  const bool b_empty = says_nothing(field, b);
  if (a_empty || b_empty) return a_empty && b_empty;
  switch (field.type) {
    case text:
    case choice:
      return a.is_string() && b.is_string() &&
             without_trailing_space(a.get_string()) == without_trailing_space(b.get_string());
    case body: {
      const json::object* left = a.if_object();
      const json::object* right = b.if_object();
      if (left == nullptr || right == nullptr) return false;
      const auto part = [](const json::object& object, std::string_view name) {
        const json::value* said = object.if_contains(name);
        return said != nullptr && said->is_string() ? std::string_view(said->get_string())
                                                    : std::string_view();
      };
      return part(*left, "type") == part(*right, "type") &&
             without_trailing_space(part(*left, "value")) == without_trailing_space(part(*right, "value"));
    }
    case number:
      return a.is_number() && b.is_number() && a.to_number<double>() == b.to_number<double>();
    case person: {
      const json::array left{a};
      const json::array right{b};
      return same_set({.name = field.name, .type = people}, left, right);
    }
    case words:
    case people:
    case attendees:
    case instants:
    case attachments:
      return a.is_array() && b.is_array() && same_set(field, a.get_array(), b.get_array());
    case entries:
    case addresses:
      return a.is_object() && b.is_object() && same_dictionary(field, a.get_object(), b.get_object());
    case occurrences:
      return a.is_array() && b.is_array() && same_occurrences(a.get_array(), b.get_array());
    case zone: {
      const json::object* left = a.if_object();
      const json::object* right = b.if_object();
      return left != nullptr && right != nullptr && left->contains("id") && right->contains("id") &&
             left->at("id").is_string() && right->at("id").is_string() &&
             text::equals_ignore_case(left->at("id").get_string(), right->at("id").get_string());
    }
    default:
      return false;
  }
}

}  // namespace syncline::model
