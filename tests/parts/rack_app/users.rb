# frozen_string_literal: true

require "bcrypt"
require "pg"

# The club's users, in the table that its Rails predecessor left: hashes and locks are Devise's.
module Users
  BCRYPT_BYTES = 72
  ATTEMPTS_MAX = 5
  PEPPER = ENV.fetch("DEVISE_PEPPER", "")
  COLUMNS = <<~SQL
    id, email, encrypted_password, confirmed_at IS NOT NULL AND deleted_at IS NULL AS usable, failed_attempts,
    locked_at IS NOT NULL AND locked_at >= now() AT TIME ZONE 'utc' - interval '1 hour' AS locked
  SQL

  User = Struct.new(:id, :email, :encrypted_password, :usable, :failed_attempts, :locked, keyword_init: true) do
    # Who has left the form cannot be locked out at it.
    def active?(moved: false)
      usable == "t" && (locked == "f" || (moved && failed_attempts.to_i >= ATTEMPTS_MAX))
    end

    def password?(password)
      return false if password.include?("\0")

      salt = BCrypt::Password.new(encrypted_password).salt
      given = BCrypt::Engine.hash_secret((password + PEPPER).byteslice(0, BCRYPT_BYTES), salt)
      Rack::Utils.secure_compare(given, encrypted_password)
    rescue BCrypt::Errors::InvalidHash
      false
    end

    # What ties a session to the password: a new one ends it.
    def salt
      encrypted_password[0, 29]
    end
  end

  module_function

  def by_email(email)
    find("email", email.strip.downcase)
  end

  def by_id(id)
    find("id", id) if id.match?(/\A[1-9]\d{0,17}\z/)
  end

  def find(column, value)
    row = connection.exec_params("SELECT #{COLUMNS} FROM users WHERE #{column} = $1", [value]).first
    row && User.new(**row.transform_keys(&:to_sym))
  end

  # One for each thread of the server.
  def connection
    Thread.current[:club_connection] ||= PG.connect(ENV.fetch("DATABASE_URL"))
  end
end
