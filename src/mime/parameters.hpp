// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Fields with parameters: Content-Type, Content-Disposition (RFC 2045, 2183, 2231). Ours: GMime keeps in
// memory every charset's name that a peer puts into one, reads octets by the process' locale, and takes
// `filename` where `filename*` stands as well.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mime/defects.hpp"

namespace syncline::mime {

class Parameters {
 public:
  /// `field`: the unfolded octets. Never fails: what is no parameter is passed over.
  static Parameters parse(std::string_view field);

  /// What stands before the first ";", in lower case, without comments: "text/plain", "attachment".
  const std::string& value() const noexcept { return value_; }

  /// A parameter as octets: boundary, charset. Of RFC 2231's forms with the percents decoded. nullopt: not
  /// there.
  std::optional<std::string> octets(std::string_view name) const;
  /// A parameter as text: RFC 2231's forms before the plain one, encoded words decoded (many write them here
  /// against RFC 2047 section 5), controls as spaces. `hint` as in to_utf8(). nullopt: not there.
  std::optional<std::string> text(std::string_view name, std::string_view hint, Defects& defects) const;

 private:
  struct Piece {
    std::string name = {};    ///< lower case, without RFC 2231's stars
    int section = -1;         ///< of a value in several pieces
    bool is_encoded = false;  ///< percents
    std::string octets = {};
  };
  struct Found {
    std::string octets = {};
    std::string charset = {};
    bool is_encoded = false;
  };
  std::optional<Found> find(std::string_view name) const;

  std::string value_ = {};
  std::vector<Piece> pieces_ = {};
};

}  // namespace syncline::mime
