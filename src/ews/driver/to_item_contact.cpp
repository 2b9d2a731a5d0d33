// SPDX-License-Identifier: GPL-3.0-or-later
// A contact's dictionaries: given whole at creation, entry by entry afterwards.
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "ews/driver/field_writers.hpp"
#include "ews/driver/to_item_parts.hpp"
#include "model/field_catalogue.hpp"

namespace syncline::ews {
namespace {

struct Dictionary {
  std::string_view field;
  std::string_view uri;
  std::vector<DictionaryEntry> ContactPart::*entries;
};
constexpr Dictionary dictionaries[] = {
    {"emailAddresses", "contacts:EmailAddress", &ContactPart::email_addresses},
    {"phoneNumbers", "contacts:PhoneNumber", &ContactPart::phone_numbers},
    {"imAddresses", "contacts:ImAddress", &ContactPart::im_addresses},
};

struct AddressPart {
  std::string_view name;
  std::string_view uri;
  std::optional<std::string> PhysicalAddress::*member;
};
constexpr AddressPart address_parts[] = {
    {"street", "contacts:PhysicalAddress:Street", &PhysicalAddress::street},
    {"city", "contacts:PhysicalAddress:City", &PhysicalAddress::city},
    {"state", "contacts:PhysicalAddress:State", &PhysicalAddress::state},
    {"countryOrRegion", "contacts:PhysicalAddress:CountryOrRegion", &PhysicalAddress::country_or_region},
    {"postalCode", "contacts:PhysicalAddress:PostalCode", &PhysicalAddress::postal_code},
};
constexpr std::string_view addresses_field = "physicalAddresses";

const model::Fields* dictionary_in(const model::Fields& fields, std::string_view name) {
  const model::FieldValue* value = fields.if_contains(name);
  return value == nullptr ? nullptr : value->if_object();
}

const model::FieldValue* entry_in(const model::Fields* dictionary, std::string_view key) {
  return dictionary == nullptr ? nullptr : dictionary->if_contains(key);
}

std::string text_or_empty(const model::FieldValue* value) {
  return value != nullptr && value->is_string() ? put::text_of(*value) : std::string();
}

/// Keys that either side names, in the order of the catalogue.
std::span<const std::string_view> keys_of(std::string_view field) {
  return model::find_field(model::RecordKind::contact, field)->choices;
}

IndexedFieldUri indexed(std::string_view uri, std::string_view key) {
  return {.uri = std::string(uri), .index = std::string(key)};
}

void update_entries(const Dictionary& dictionary, const model::Fields& fields, const model::Fields& base,
                    std::vector<ItemUpdate>& updates) {
  const model::Fields* wanted = dictionary_in(fields, dictionary.field);
  const model::Fields* held = dictionary_in(base, dictionary.field);
  for (const std::string_view key : keys_of(dictionary.field)) {
    // An entry that is not named stays; without a dictionary all go.
    if (wanted != nullptr && !wanted->contains(key)) continue;
    const std::string now = text_or_empty(entry_in(held, key));
    const std::string then = text_or_empty(entry_in(wanted, key));
    if (then == now) continue;
    IndexedFieldUri path = indexed(dictionary.uri, key);
    if (then.empty()) {
      updates.push_back(clear_field(std::move(path)));
      continue;
    }
    updates.push_back(set_field(ItemKind::contact, std::move(path), [&](Item& item) {
      (item.contact.get_or_make().*dictionary.entries).push_back({.key = std::string(key), .value = then});
    }));
  }
}

void update_addresses(const model::Fields& fields, const model::Fields& base,
                      std::vector<ItemUpdate>& updates) {
  const model::Fields* wanted = dictionary_in(fields, addresses_field);
  const model::Fields* held = dictionary_in(base, addresses_field);
  for (const std::string_view key : keys_of(addresses_field)) {
    if (wanted != nullptr && !wanted->contains(key)) continue;
    const model::FieldValue* wanted_entry = entry_in(wanted, key);
    const model::FieldValue* held_entry = entry_in(held, key);
    for (const AddressPart& part : address_parts) {
      const std::string now =
          text_or_empty(entry_in(held_entry == nullptr ? nullptr : held_entry->if_object(), part.name));
      const std::string then =
          text_or_empty(entry_in(wanted_entry == nullptr ? nullptr : wanted_entry->if_object(), part.name));
      if (then == now) continue;
      IndexedFieldUri path = indexed(part.uri, key);
      if (then.empty()) {
        updates.push_back(clear_field(std::move(path)));
        continue;
      }
      updates.push_back(set_field(ItemKind::contact, std::move(path), [&](Item& item) {
        PhysicalAddress address{.key = std::string(key)};
        address.*part.member = then;
        item.contact.get_or_make().physical_addresses.push_back(std::move(address));
      }));
    }
  }
}

}  // namespace

void put_contact_parts(const model::Fields& fields, Item& item) {
  ContactPart& contact = item.contact.get_or_make();
  for (const Dictionary& dictionary : dictionaries) {
    const model::Fields* wanted = dictionary_in(fields, dictionary.field);
    for (const std::string_view key : keys_of(dictionary.field)) {
      std::string value = text_or_empty(entry_in(wanted, key));
      if (!value.empty())
        (contact.*dictionary.entries).push_back({.key = std::string(key), .value = std::move(value)});
    }
  }
  const model::Fields* addresses = dictionary_in(fields, addresses_field);
  for (const std::string_view key : keys_of(addresses_field)) {
    const model::FieldValue* entry = entry_in(addresses, key);
    const model::Fields* wanted = entry == nullptr ? nullptr : entry->if_object();
    if (wanted == nullptr || wanted->empty()) continue;
    PhysicalAddress address{.key = std::string(key)};
    for (const AddressPart& part : address_parts)
      if (const auto* value = wanted->if_contains(part.name); !says_nothing(value))
        address.*part.member = put::text_of(*value);
    contact.physical_addresses.push_back(std::move(address));
  }
}

void update_contact_parts(const model::Fields& fields, const model::Fields& base,
                          std::vector<ItemUpdate>& updates) {
  for (const Dictionary& dictionary : dictionaries)
    if (fields.contains(dictionary.field)) update_entries(dictionary, fields, base, updates);
  if (fields.contains(addresses_field)) update_addresses(fields, base, updates);
}

}  // namespace syncline::ews
