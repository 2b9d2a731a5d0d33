// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <fstream>
#include <iterator>

#include "tests/real/imap/imap_server.hpp"
#include "tests/support/cyrus_lab.hpp"
#include "tests/support/lab_script.hpp"

namespace syncline::imap::testing {
namespace {

namespace fs = std::filesystem;
using syncline::testing::CyrusLab;

class Cyrus final : public ImapServer {
 public:
  explicit Cyrus(std::unique_ptr<CyrusLab> lab) : lab_(std::move(lab)) {}

  Ports ports() const override { return {.starttls = lab_->ports().imap, .implicit = lab_->ports().imaps}; }
  std::string ca_file() const override { return lab_->ca_file(); }
  std::string other_ca_file() const override { return lab_->other_ca_file(); }
  std::vector<Faulty> faulty_certificates() const override {
    return {{"wrongname.lab.test", ports(), "not for this host"},
            {"localhost",
             {.starttls = lab_->ports().imap_expired, .implicit = lab_->ports().imaps_expired},
             "expired"}};
  }
  std::vector<std::string> password_mechanisms() const override {
    return {"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"};
  }
  bool offers_plain_without_tls() const override { return false; }
  bool takes_every_name() const override { return false; }
  std::vector<std::string> token_mechanisms() const override { return {}; }
  Result<std::string> token(std::string_view, std::chrono::seconds) const override {
    return fail(ErrorDomain::local, "lab-failed", "Cyrus knows no tokens");
  }
  Result<void> deliver(std::string_view user, std::string_view message) override {
    return lab_->deliver(user, message);
  }
  Result<std::vector<std::string>> generate(std::string_view user, unsigned most, unsigned seed,
                                            unsigned most_kb) override {
    // Every message is made durable by itself.
    const unsigned count = std::min(most, 200U);
    const fs::path folder = lab_->folder() / ("generated-" + std::string(user));
    std::error_code bad;
    fs::create_directory(folder, bad);
    const auto made = syncline::testing::run_lab_command(
        syncline::testing::lab_script("gen_messages.py") + " --eml " + folder.string() + " --count " +
        std::to_string(count) + " --seed " + std::to_string(seed) + " --max-kb " + std::to_string(most_kb));
    if (made.status != 0) return syncline::testing::lab_failed("gen_messages.py", made);
    if (auto appended = lab_->append_all(user, folder); !appended) return fail(std::move(appended.error()));
    std::vector<std::string> messages;
    for (const auto& entry : fs::directory_iterator(folder, bad)) {
      std::ifstream in(entry.path(), std::ios::binary);
      std::string message;
      char before = '\0';
      for (auto c = std::istreambuf_iterator<char>(in); c != std::istreambuf_iterator<char>(); ++c) {
        if (*c == '\n' && before != '\r') message += '\r';
        message += before = *c;
      }
      messages.push_back(std::move(message));
    }
    return messages;
  }
  Result<void> kick(std::string_view user) override { return lab_->kick(user); }

 private:
  std::unique_ptr<CyrusLab> lab_;
};

}  // namespace

Result<std::unique_ptr<ImapServer>> start_imap_server() {
  auto lab = CyrusLab::start();
  if (!lab) return fail(std::move(lab.error()));
  return std::make_unique<Cyrus>(std::move(*lab));
}

}  // namespace syncline::imap::testing
