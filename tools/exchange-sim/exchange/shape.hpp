// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Which properties of an item a request wants, and how they are written.
#include <bitset>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "tools/exchange-sim/exchange/context.hpp"

namespace exchange_sim {

enum class BodyChoice { best, html, text };

struct Shape {
  std::bitset<f_count> fields;
  std::vector<ExtendedName> extended;     ///< in the order asked for
  std::vector<PropertyId> extended_ids;   ///< beside them; 0: no item has it
  std::vector<PropertyId> dictionary;     ///< single entries asked for
  std::bitset<f_count> whole_dictionary;  ///< dictionaries asked for as a whole
  std::vector<Field> single_dictionary;   ///< dictionaries with single entries asked for
  BodyChoice body = BodyChoice::best;
  bool finding = false;  ///< FindItem
  bool id_only() const noexcept { return fields.count() == 1 && extended.empty() && dictionary.empty(); }
};

/// A t:ItemShape (or AttachmentShape). Errors: ErrorInvalidPropertyRequest, ErrorInvalidExtendedProperty.
syncline::Result<Shape> read_shape(Context& context, const Element* shape, bool finding);
/// t:ExtendedFieldURI. Error: ErrorInvalidExtendedProperty.
syncline::Result<ExtendedName> read_extended_name(const Element& uri);
/// PidTagSearchKey, asked for as an extended property; item:SearchKey says the same.
inline constexpr int kTagSearchKey = 0x300B;
void append_extended_uri(std::string& out, const ExtendedName& name);
/// t:IndexedFieldURI of a contact's dictionary; nullopt for others.
std::optional<DictionaryName> read_dictionary_name(const Element& uri);

/// "<t:Message>…</t:Message>"
void write_item(std::string& out, Context& context, const ItemRef& ref, const Shape& shape);
/// The kind of element this item is written as.
ItemKind shown_kind(const Item& item);

/// The text of a simple property, kept or computed; nullopt if unset. For restrictions, sorting, tests.
std::optional<std::string> text_of(Context& context, const ItemRef& ref, Field field);
std::size_t size_of(const ItemRef& ref);
/// The item's MIME: kept octets, else composed.
std::string mime_of(Context& context, const ItemRef& ref);
/// The same as it leaves for other servers: without Bcc, with a From, Date and Message-ID where the author
/// gave none.
std::string mime_for_others(Context& context, Item& message);
/// Body text and whether it is HTML.
std::pair<std::string, bool> body_of(const ItemRef& ref);
void write_attachment(std::string& out, Context& context, const ItemRef& owner, const Attachment& attachment,
                      const std::vector<std::uint32_t>& path, bool with_content, const Shape* inner);
std::string attachment_id(const ItemRef& owner, const std::vector<std::uint32_t>& path);

}  // namespace exchange_sim
