// SPDX-License-Identifier: GPL-3.0-or-later
#include "mime/defects.hpp"

namespace syncline::mime {

std::string_view to_string(Defect defect) noexcept {
  switch (defect) {
    case Defect::no_headers:
      return "no-headers";
    case Defect::missing_separator:
      return "missing-separator";
    case Defect::bad_header_line:
      return "bad-header-line";
    case Defect::bare_cr:
      return "bare-cr";
    case Defect::nul_octets:
      return "nul-octets";
    case Defect::header_too_large:
      return "header-too-large";
    case Defect::duplicate_header:
      return "duplicate-header";
    case Defect::missing_from:
      return "missing-from";
    case Defect::missing_date:
      return "missing-date";
    case Defect::bad_date:
      return "bad-date";
    case Defect::date_without_zone:
      return "date-without-zone";
    case Defect::missing_message_id:
      return "missing-message-id";
    case Defect::bad_message_id:
      return "bad-message-id";
    case Defect::bad_address:
      return "bad-address";
    case Defect::bad_encoded_word:
      return "bad-encoded-word";
    case Defect::raw_8bit_header:
      return "raw-8bit-header";
    case Defect::unknown_charset:
      return "unknown-charset";
    case Defect::bad_charset:
      return "bad-charset";
    case Defect::bad_content_type:
      return "bad-content-type";
    case Defect::unknown_encoding:
      return "unknown-encoding";
    case Defect::bad_base64:
      return "bad-base64";
    case Defect::bad_quoted_printable:
      return "bad-quoted-printable";
    case Defect::bad_uuencode:
      return "bad-uuencode";
    case Defect::missing_boundary:
      return "missing-boundary";
    case Defect::unfinished_multipart:
      return "unfinished-multipart";
    case Defect::too_deep:
      return "too-deep";
    case Defect::too_many_parts:
      return "too-many-parts";
    case Defect::body_cut:
      return "body-cut";
    case Defect::name_cut:
      return "name-cut";
  }
  return "unknown";
}

std::vector<Defect> Defects::list() const {
  std::vector<Defect> all;
  for (int i = 0; i < defect_count; ++i)
    if (has(static_cast<Defect>(i))) all.push_back(static_cast<Defect>(i));
  return all;
}

}  // namespace syncline::mime
