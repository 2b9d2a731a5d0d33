// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/driver/field_writers.hpp"

#include <vector>

#include "ews/driver/contact_properties.hpp"

namespace syncline::ews {
namespace {

FieldUri uri(std::string_view name) {
  return FieldUri{std::string(name)};
}

void put_body(const model::FieldValue& value, Item& item) {
  const auto& object = value.get_object();
  item.body = Body{.type = object.at("type").get_string() == "html" ? BodyType::html : BodyType::text,
                   .value = put::text_of(object.at("value"))};
}

void put_extended(Item& item, const ExtendedFieldUri& property, const model::FieldValue& value) {
  item.extended_properties.push_back({.uri = property, .values = {put::text_of(value)}});
}

}  // namespace

namespace put {

EmailAddress person_of(const model::FieldValue& value) {
  EmailAddress address;
  const auto& object = value.get_object();
  if (const auto* name = object.if_contains("name")) address.name = text_of(*name);
  if (const auto* smtp = object.if_contains("emailAddress")) {
    address.address = text_of(*smtp);
    address.routing_type = "SMTP";
  }
  return address;
}

std::vector<EmailAddress> people_of(const model::FieldValue& value) {
  std::vector<EmailAddress> people;
  for (const auto& person : value.get_array()) people.push_back(person_of(person));
  return people;
}

}  // namespace put

std::span<const FieldWriter> item_writers() {
  static const std::vector<FieldWriter> writers{
      {"subject", uri("item:Subject"), put::text<&Item::subject>},
      {"body", uri("item:Body"), put_body},
      {"importance", uri("item:Importance"), put::choice<&Item::importance>, "Normal"},
      {"sensitivity", uri("item:Sensitivity"), put::choice<&Item::sensitivity>, "Normal"},
      {"categories", uri("item:Categories"), put::words<&Item::categories>},
      {"reminderIsSet", uri("item:ReminderIsSet"), put::boolean<&Item::reminder_is_set>, false},
      {"reminderDueBy", uri("item:ReminderDueBy"), put::instant<&Item::reminder_due_by>, nullptr, true},
      {"reminderMinutesBeforeStart", uri("item:ReminderMinutesBeforeStart"),
       put::integer<&Item::reminder_minutes_before_start>, nullptr, true},
  };
  return writers;
}

std::span<const FieldWriter> message_writers() {
  static const std::vector<FieldWriter> writers{
      {"from", uri("message:From"), put::person<&MessagePart::from>},
      {"toRecipients", uri("message:ToRecipients"), put::people<&MessagePart::to_recipients>},
      {"ccRecipients", uri("message:CcRecipients"), put::people<&MessagePart::cc_recipients>},
      {"bccRecipients", uri("message:BccRecipients"), put::people<&MessagePart::bcc_recipients>},
      {"replyTo", uri("message:ReplyTo"), put::people<&MessagePart::reply_to>},
      {"internetMessageId", uri("message:InternetMessageId"), put::text<&MessagePart::internet_message_id>},
      {"inReplyTo", uri("item:InReplyTo"), put::text<&Item::in_reply_to>},
      {"references", uri("message:References"), put::text<&MessagePart::references>},
      {"isRead", uri("message:IsRead"), put::boolean<&MessagePart::is_read>, false},
  };
  return writers;
}

std::span<const FieldWriter> calendar_writers() {
  static const std::vector<FieldWriter> writers{
      {"location", uri("calendar:Location"), put::text<&CalendarPart::location>},
      {"legacyFreeBusyStatus", uri("calendar:LegacyFreeBusyStatus"),
       put::choice<&CalendarPart::legacy_free_busy_status>, "Busy"},
  };
  return writers;
}

std::span<const FieldWriter> contact_writers() {
  static const std::vector<FieldWriter> writers{
      {"displayName", uri("contacts:DisplayName"), put::text<&ContactPart::display_name>},
      {"fileAs", uri("contacts:FileAs"), put::text<&ContactPart::file_as>},
      {"givenName", uri("contacts:GivenName"), put::text<&ContactPart::given_name>},
      {"middleName", uri("contacts:MiddleName"), put::text<&ContactPart::middle_name>},
      {"surname", uri("contacts:Surname"), put::text<&ContactPart::surname>},
      {"initials", uri("contacts:Initials"), put::text<&ContactPart::initials>},
      {"generation", uri("contacts:Generation"), put::text<&ContactPart::generation>},
      {"nickname", uri("contacts:Nickname"), put::text<&ContactPart::nickname>},
      {"companyName", uri("contacts:CompanyName"), put::text<&ContactPart::company_name>},
      {"department", uri("contacts:Department"), put::text<&ContactPart::department>},
      {"jobTitle", uri("contacts:JobTitle"), put::text<&ContactPart::job_title>},
      {"profession", uri("contacts:Profession"), put::text<&ContactPart::profession>},
      {"officeLocation", uri("contacts:OfficeLocation"), put::text<&ContactPart::office_location>},
      {"manager", uri("contacts:Manager"), put::text<&ContactPart::manager>},
      {"assistantName", uri("contacts:AssistantName"), put::text<&ContactPart::assistant_name>},
      {"spouseName", uri("contacts:SpouseName"), put::text<&ContactPart::spouse_name>},
      {"children", uri("contacts:Children"), put::words<&ContactPart::children>},
      {"birthday", uri("contacts:Birthday"), put::noon_of_date<&ContactPart::birthday>},
      {"weddingAnniversary", uri("contacts:WeddingAnniversary"),
       put::noon_of_date<&ContactPart::wedding_anniversary>},
      {"businessHomePage", uri("contacts:BusinessHomePage"), put::text<&ContactPart::business_home_page>},
      // CompleteName, where EWS shows these, cannot be written.
      {"title", title_property(),
       [](const model::FieldValue& value, Item& item) { put_extended(item, title_property(), value); }},
      {"ftpSite", ftp_site_property(),
       [](const model::FieldValue& value, Item& item) { put_extended(item, ftp_site_property(), value); }},
      {"governmentId", government_id_property(),
       [](const model::FieldValue& value, Item& item) {
         put_extended(item, government_id_property(), value);
       }},
      {"phoneticGivenName", phonetic_given_name_property(),
       [](const model::FieldValue& value, Item& item) {
         put_extended(item, phonetic_given_name_property(), value);
       }},
      {"phoneticSurname", phonetic_surname_property(),
       [](const model::FieldValue& value, Item& item) {
         put_extended(item, phonetic_surname_property(), value);
       }},
  };
  return writers;
}

std::span<const FieldWriter> task_writers() {
  static const std::vector<FieldWriter> writers{
      {"startDate", uri("task:StartDate"), put::date<&TaskPart::start_date>},
      {"dueDate", uri("task:DueDate"), put::date<&TaskPart::due_date>},
      {"totalWork", uri("task:TotalWork"), put::integer<&TaskPart::total_work>},
      {"actualWork", uri("task:ActualWork"), put::integer<&TaskPart::actual_work>},
  };
  return writers;
}

}  // namespace syncline::ews
