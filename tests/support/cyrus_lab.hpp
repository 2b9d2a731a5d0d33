// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Cyrus IMAP for tests, on free loopback ports and in a folder of its own (tests/mailservers/cyrus.sh). It
// goes with the object, and with the process should it die.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace syncline::testing {

class CyrusLab {
 public:
  /// About two seconds. Errors: local "missing" (tools/setup was not run), "lab-failed".
  static Result<std::unique_ptr<CyrusLab>> start();
  ~CyrusLab();
  CyrusLab(const CyrusLab&) = delete;
  CyrusLab& operator=(const CyrusLab&) = delete;

  struct Ports {
    std::uint16_t imap = 0;          ///< STARTTLS
    std::uint16_t imaps = 0;         ///< TLS from the first octet
    std::uint16_t imap_expired = 0;  ///< the same with a certificate that has expired
    std::uint16_t imaps_expired = 0;
  };
  const Ports& ports() const noexcept { return ports_; }
  const std::filesystem::path& folder() const noexcept { return folder_; }
  /// The CA to trust, and one that signed nothing of this server's.
  std::string ca_file() const { return (folder_ / "tls/ca.pem").string(); }
  std::string other_ca_file() const { return (folder_ / "tls/otherca.pem").string(); }

  /// Users are those of MailLab (not sink), passwords too. A user's mailbox is made when they first sign in.
  /// Puts a message into a user's inbox by LMTP, as a delivery does: with Return-Path and Received before it.
  Result<void> deliver(std::string_view user, std::string_view message);
  /// Appends the .eml files of a folder, in the order of their names, to a user's inbox.
  Result<void> append_all(std::string_view user, const std::filesystem::path& folder);
  /// Ends the user's connections, as an administrator does.
  Result<void> kick(std::string_view user);

 private:
  CyrusLab() = default;
  std::filesystem::path folder_;
  Ports ports_;
};

}  // namespace syncline::testing
