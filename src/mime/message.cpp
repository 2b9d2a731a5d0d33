// SPDX-License-Identifier: GPL-3.0-or-later
#include "mime/message.hpp"

#include "base/text.hpp"
#include "mime/encoded_word.hpp"

namespace syncline::mime {

std::string_view to_string(Protection protection) noexcept {
  switch (protection) {
    case Protection::none:
      return "none";
    case Protection::signed_clear:
      return "signed";
    case Protection::signed_opaque:
      return "signed-opaque";
    case Protection::encrypted:
      return "encrypted";
    case Protection::rights_managed:
      return "rights-managed";
  }
  return "none";
}

std::string_view to_string(Importance importance) noexcept {
  switch (importance) {
    case Importance::low:
      return "Low";
    case Importance::normal:
      return "Normal";
    case Importance::high:
      return "High";
  }
  return "Normal";
}

std::string_view to_string(Sensitivity sensitivity) noexcept {
  switch (sensitivity) {
    case Sensitivity::normal:
      return "Normal";
    case Sensitivity::personal:
      return "Personal";
    case Sensitivity::private_:
      return "Private";
    case Sensitivity::confidential:
      return "Confidential";
  }
  return "Normal";
}

std::optional<std::string> Message::header(std::string_view name) const {
  for (const HeaderField& field : headers)
    if (text::equals_ignore_case(field.name, name)) return decode_unstructured(field.value).text;
  return std::nullopt;
}

std::string Message::key() const {
  if (message_id) return *message_id;
  return sha256.empty() ? std::string() : "sha256:" + sha256;
}

}  // namespace syncline::mime
