// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <boost/json/object.hpp>

#include "base/text.hpp"
#include "ews/driver/contact_properties.hpp"
#include "ews/driver/field_row.hpp"
#include "ews/driver/marks.hpp"
#include "model/field_catalogue.hpp"

namespace syncline::ews {
namespace {

namespace json = boost::json;

template <const ExtendedFieldUri& (*Property)()>
MappedValue extended(const Item& item, const ItemContext& context) {
  const auto value = value_of(item, Property());
  return text_of(value ? std::optional<std::string>(*value) : std::nullopt, context);
}

bool has_key(std::string_view field, std::string_view key) {
  const model::FieldInfo* info = model::find_field(model::RecordKind::contact, field);
  return std::find(info->choices.begin(), info->choices.end(), key) != info->choices.end();
}

/// Entries of keys that records do not have are left where they are.
MappedValue dictionary(std::string_view field, const std::vector<DictionaryEntry>& entries,
                       const ItemContext& context) {
  json::object made;
  for (const DictionaryEntry& entry : entries) {
    const std::string_view value = text::trim(entry.value);
    if (value.empty() || !has_key(field, entry.key)) continue;
    if (MappedValue said = text_of(std::string(value), context)) made.emplace(entry.key, std::move(*said));
  }
  return made.empty() ? json::value() : json::value(std::move(made));
}

MappedValue email_addresses(const std::vector<DictionaryEntry>& entries, const ItemContext& context) {
  return dictionary("emailAddresses", entries, context);
}
MappedValue phone_numbers(const std::vector<DictionaryEntry>& entries, const ItemContext& context) {
  return dictionary("phoneNumbers", entries, context);
}
MappedValue im_addresses(const std::vector<DictionaryEntry>& entries, const ItemContext& context) {
  return dictionary("imAddresses", entries, context);
}

MappedValue postal_addresses(const std::vector<PhysicalAddress>& addresses, const ItemContext& context) {
  json::object made;
  for (const PhysicalAddress& address : addresses) {
    if (!has_key("physicalAddresses", address.key)) continue;
    json::object parts;
    const auto add = [&](std::string_view name, const std::optional<std::string>& part) {
      if (MappedValue said = text_of(part, context); said && said->is_string())
        parts.emplace(name, std::move(*said));
    };
    add("street", address.street);
    add("city", address.city);
    add("state", address.state);
    add("countryOrRegion", address.country_or_region);
    add("postalCode", address.postal_code);
    if (!parts.empty()) made.emplace(address.key, std::move(parts));
  }
  return made.empty() ? json::value() : json::value(std::move(made));
}

/// {"attachmentId","size","contentType"}: its content is fetched as an attachment, and has no digest before.
MappedValue photo(const std::vector<Attachment>& attachments, const ItemContext&) {
  for (const Attachment& attachment : attachments) {
    const auto* file = std::get_if<FileContent>(&attachment.content);
    if (file == nullptr || !file->is_contact_photo.value_or(false) || !attachment.id) continue;
    json::object made;
    made.emplace("attachmentId", attachment.id->id);
    if (attachment.size && *attachment.size >= 0) made.emplace("size", *attachment.size);
    made.emplace("contentType", attachment.content_type.value_or("image/jpeg"));
    return json::value(std::move(made));
  }
  return json::value();
}

constexpr FieldRow rows[] = {
    {"displayName", "contacts:DisplayName", mapped<&ContactPart::display_name, text_of>},
    {"fileAs", "contacts:FileAs", mapped<&ContactPart::file_as, text_of>},
    {"givenName", "contacts:GivenName", mapped<&ContactPart::given_name, text_of>},
    {"middleName", "contacts:MiddleName", mapped<&ContactPart::middle_name, text_of>},
    {"surname", "contacts:Surname", mapped<&ContactPart::surname, text_of>},
    {"initials", "contacts:Initials", mapped<&ContactPart::initials, text_of>},
    {"title", nullptr, extended<title_property>},
    {"generation", "contacts:Generation", mapped<&ContactPart::generation, text_of>},
    {"nickname", "contacts:Nickname", mapped<&ContactPart::nickname, text_of>},
    {"phoneticGivenName", nullptr, extended<phonetic_given_name_property>},
    {"phoneticSurname", nullptr, extended<phonetic_surname_property>},
    {"companyName", "contacts:CompanyName", mapped<&ContactPart::company_name, text_of>},
    {"department", "contacts:Department", mapped<&ContactPart::department, text_of>},
    {"jobTitle", "contacts:JobTitle", mapped<&ContactPart::job_title, text_of>},
    {"profession", "contacts:Profession", mapped<&ContactPart::profession, text_of>},
    {"officeLocation", "contacts:OfficeLocation", mapped<&ContactPart::office_location, text_of>},
    {"manager", "contacts:Manager", mapped<&ContactPart::manager, text_of>},
    {"assistantName", "contacts:AssistantName", mapped<&ContactPart::assistant_name, text_of>},
    {"spouseName", "contacts:SpouseName", mapped<&ContactPart::spouse_name, text_of>},
    {"children", "contacts:Children", mapped<&ContactPart::children, words_of>},
    {"birthday", "contacts:Birthday", mapped<&ContactPart::birthday, date_of>},
    {"weddingAnniversary", "contacts:WeddingAnniversary", mapped<&ContactPart::wedding_anniversary, date_of>},
    {"emailAddresses", "contacts:EmailAddresses", mapped<&ContactPart::email_addresses, email_addresses>},
    {"phoneNumbers", "contacts:PhoneNumbers", mapped<&ContactPart::phone_numbers, phone_numbers>},
    {"imAddresses", "contacts:ImAddresses", mapped<&ContactPart::im_addresses, im_addresses>},
    {"physicalAddresses", "contacts:PhysicalAddresses",
     mapped<&ContactPart::physical_addresses, postal_addresses>},
    {"businessHomePage", "contacts:BusinessHomePage", mapped<&ContactPart::business_home_page, text_of>},
    {"ftpSite", nullptr, extended<ftp_site_property>},
    {"governmentId", nullptr, extended<government_id_property>},
    {"body", "item:Body", mapped<&Item::body, body_of>},
    {"categories", "item:Categories", mapped<&Item::categories, words_of>},
    {"sensitivity", "item:Sensitivity", mapped<&Item::sensitivity, choice_of<Sensitivity>>},
    {"photo", "item:Attachments", mapped<&Item::attachments, photo>},
};

}  // namespace

const KindTable& contact_table() {
  static const KindTable table{.rows = rows,
                               .properties = {title_property(), ftp_site_property(), government_id_property(),
                                              phonetic_given_name_property(), phonetic_surname_property()}};
  return table;
}

}  // namespace syncline::ews
