// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A request body around octets that are never held whole: prefix, the base64 of another source, suffix.
#include <memory>
#include <string>

#include "base/base64.hpp"
#include "net/body.hpp"

namespace syncline::ews {

class SplicedSource final : public net::Source {
 public:
  /// `octets` must know its size: a request is judged against the server's cap before it is sent.
  SplicedSource(std::string prefix, std::shared_ptr<net::Source> octets, std::string suffix);

  net::Async<std::size_t> read(std::span<std::byte> buffer) override;
  Result<void> rewind() override;
  /// Of the whole body, known if the size of the octets is.
  std::optional<std::uint64_t> size() const override;

 private:
  std::size_t take_pending(std::span<std::byte> buffer);

  std::string prefix_;
  std::shared_ptr<net::Source> octets_;
  std::string suffix_;
  std::string pending_;  ///< encoded and not yet taken
  std::size_t taken_ = 0;
  enum class Part { octets, suffix, end } next_ = Part::octets;
  Base64Encoder encoder_;
  std::string chunk_;
};

}  // namespace syncline::ews
