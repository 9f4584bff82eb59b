CREATE TABLE account_charge (
	period INTEGER NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	charge_id VARCHAR(32) NOT NULL,
	product_id VARCHAR(32) NULL,
	item_code VARCHAR(40) NOT NULL,
	kind VARCHAR(16) NOT NULL,
	amount_micro_yuan BIGINT NOT NULL,
	from_on DATE NOT NULL,
	until_on DATE NOT NULL,
	reason NVARCHAR(200) NOT NULL,
	about_bill_id VARCHAR(32) NULL,
	about_line_no INTEGER NULL,
	undoes_id VARCHAR(32) NULL,
	approval_id VARCHAR(32) NULL,
	act_id VARCHAR(32) NOT NULL,
	staff_id VARCHAR(32) NOT NULL,
	hall_code VARCHAR(20) NOT NULL,
	booked_at DATETIME2(6) NOT NULL,
	CONSTRAINT pk_account_charge PRIMARY KEY (period, account_id, charge_id)
);
CREATE TABLE account_cycle (
	account_id VARCHAR(32) NOT NULL,
	from_month INTEGER NOT NULL,
	billing_day SMALLINT NOT NULL,
	staff_id VARCHAR(32) NOT NULL,
	set_at DATETIME2(6) NOT NULL,
	act_id VARCHAR(32) NOT NULL,
	CONSTRAINT pk_account_cycle PRIMARY KEY (account_id, from_month)
);
CREATE TABLE act (
	act_id VARCHAR(32) NOT NULL,
	kind VARCHAR(60) NOT NULL,
	digest VARCHAR(64) NOT NULL,
	staff_id VARCHAR(32) NOT NULL,
	staff_no VARCHAR(20) NOT NULL,
	hall_code VARCHAR(20) NULL,
	counter_no VARCHAR(20) NULL,
	channel VARCHAR(20) NULL,
	reason NVARCHAR(200) NULL,
	occurred_at DATETIME2(6) NOT NULL,
	reply NVARCHAR(max) NULL,
	after_tokens VARCHAR(500) NULL,
	CONSTRAINT pk_act PRIMARY KEY (act_id)
);
CREATE TABLE allowance_left (
	period INTEGER NOT NULL,
	owner_id VARCHAR(40) NOT NULL,
	tariff_code VARCHAR(40) NOT NULL,
	code VARCHAR(40) NOT NULL,
	granted_month INTEGER NOT NULL,
	left_quantity BIGINT NOT NULL,
	CONSTRAINT pk_allowance_left PRIMARY KEY (period, owner_id, tariff_code, code, granted_month)
);
CREATE TABLE allowance_member (
	product_id VARCHAR(32) NOT NULL,
	from_on DATE NOT NULL,
	until_on DATE NULL,
	pool_id VARCHAR(40) NOT NULL,
	act_id VARCHAR(32) NOT NULL,
	CONSTRAINT pk_allowance_member PRIMARY KEY (product_id, from_on)
);
CREATE INDEX ix_allowance_member_pool_id ON allowance_member (pool_id);
CREATE TABLE allowance_pack (
	pack_id VARCHAR(32) NOT NULL,
	owner_kind VARCHAR(12) NOT NULL,
	owner_id VARCHAR(40) NOT NULL,
	code VARCHAR(40) NOT NULL,
	quantity BIGINT NOT NULL,
	from_on DATE NOT NULL,
	until_on DATE NOT NULL,
	priority INTEGER NOT NULL,
	reason NVARCHAR(200) NULL,
	act_id VARCHAR(32) NOT NULL,
	staff_id VARCHAR(32) NULL,
	granted_at DATETIME2(6) NOT NULL,
	CONSTRAINT pk_allowance_pack PRIMARY KEY (pack_id)
);
CREATE INDEX ix_allowance_pack_owner_id ON allowance_pack (owner_id);
CREATE TABLE applied_payment (
	period INTEGER NOT NULL,
	bill_id VARCHAR(32) NOT NULL,
	bill_line_no INTEGER NOT NULL,
	act_id VARCHAR(32) NOT NULL,
	seq_no INTEGER NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	book_id VARCHAR(32) NOT NULL,
	payment_id VARCHAR(32) NULL,
	amount_fen BIGINT NOT NULL,
	applied_on DATE NOT NULL,
	CONSTRAINT pk_applied_payment PRIMARY KEY (period, bill_id, bill_line_no, act_id, seq_no)
);
CREATE INDEX ix_applied_payment_payment_id ON applied_payment (payment_id);
CREATE TABLE approval_use (
	approval_id VARCHAR(32) NOT NULL,
	kind VARCHAR(20) NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	amount_fen BIGINT NOT NULL,
	asked_by_id VARCHAR(32) NOT NULL,
	asked_by_no VARCHAR(20) NOT NULL,
	approver_id VARCHAR(32) NOT NULL,
	approver_no VARCHAR(20) NOT NULL,
	reason NVARCHAR(200) NULL,
	given_at DATETIME2(6) NOT NULL,
	used_at DATETIME2(6) NOT NULL,
	act_id VARCHAR(32) NOT NULL,
	CONSTRAINT pk_approval_use PRIMARY KEY (approval_id)
);
CREATE TABLE audit_entry (
	entry_id BIGINT NOT NULL IDENTITY(1,1),
	act_id VARCHAR(32) NULL,
	occurred_at DATETIME2(6) NOT NULL,
	staff_id VARCHAR(32) NOT NULL,
	staff_no VARCHAR(20) NOT NULL,
	what VARCHAR(60) NOT NULL,
	subject VARCHAR(80) NULL,
	remark NVARCHAR(500) NULL,
	entry_digest VARCHAR(64) NOT NULL,
	sealed_in BIGINT NULL,
	CONSTRAINT pk_audit_entry PRIMARY KEY (entry_id)
);
CREATE INDEX ix_audit_entry_sealed_in ON audit_entry (sealed_in);
CREATE TABLE audit_seal (
	seal_no BIGINT NOT NULL,
	entry_count BIGINT NOT NULL,
	previous_digest VARCHAR(64) NOT NULL,
	seal_digest VARCHAR(64) NOT NULL,
	sealed_at DATETIME2(6) NOT NULL,
	CONSTRAINT pk_audit_seal PRIMARY KEY (seal_no)
);
CREATE TABLE bill (
	period INTEGER NOT NULL,
	bill_id VARCHAR(32) NOT NULL,
	bill_no VARCHAR(40) NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	account_no VARCHAR(40) NOT NULL,
	customer_id VARCHAR(32) NOT NULL,
	run_id VARCHAR(32) NULL,
	origin VARCHAR(10) NOT NULL,
	state VARCHAR(10) NOT NULL,
	from_on DATE NOT NULL,
	until_on DATE NOT NULL,
	issued_on DATE NOT NULL,
	due_on DATE NOT NULL,
	customer_no VARCHAR(20) NULL,
	sealed_name VARCHAR(1000) NULL,
	sealed_address VARCHAR(2000) NULL,
	sealed_tax_no VARCHAR(400) NULL,
	owed_before_fen BIGINT NOT NULL,
	advance_before_fen BIGINT NOT NULL,
	total_fen BIGINT NOT NULL,
	net_fen BIGINT NOT NULL,
	tax_fen BIGINT NOT NULL,
	open_fen BIGINT NOT NULL,
	line_count INTEGER NOT NULL,
	frozen_at DATETIME2(6) NOT NULL,
	settled_at DATETIME2(6) NULL,
	CONSTRAINT pk_bill PRIMARY KEY (period, bill_id)
);
CREATE INDEX ix_bill_account_id_state ON bill (account_id, state);
CREATE INDEX ix_bill_settled_at ON bill (settled_at);
CREATE TABLE bill_adjustment (
	period INTEGER NOT NULL,
	bill_id VARCHAR(32) NOT NULL,
	line_no INTEGER NOT NULL,
	adjustment_id VARCHAR(32) NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	kind VARCHAR(16) NOT NULL,
	amount_fen BIGINT NOT NULL,
	net_fen BIGINT NOT NULL,
	tax_fen BIGINT NOT NULL,
	tax_per_mille SMALLINT NOT NULL,
	returned_fen BIGINT NOT NULL,
	book_id VARCHAR(32) NULL,
	reason NVARCHAR(200) NOT NULL,
	approval_id VARCHAR(32) NULL,
	receipt_no VARCHAR(40) NULL,
	act_id VARCHAR(32) NOT NULL,
	staff_id VARCHAR(32) NOT NULL,
	hall_code VARCHAR(20) NOT NULL,
	booked_on DATE NOT NULL,
	booked_at DATETIME2(6) NOT NULL,
	CONSTRAINT pk_bill_adjustment PRIMARY KEY (period, bill_id, line_no, adjustment_id),
	CONSTRAINT ck_bill_adjustment_amount CHECK (amount_fen > 0)
);
CREATE INDEX ix_bill_adjustment_account ON bill_adjustment (account_id, booked_on);
CREATE TABLE bill_aside (
	period INTEGER NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	run_id VARCHAR(32) NOT NULL,
	reason VARCHAR(60) NOT NULL,
	remark NVARCHAR(300) NULL,
	set_at DATETIME2(6) NOT NULL,
	CONSTRAINT pk_bill_aside PRIMARY KEY (period, account_id)
);
CREATE TABLE bill_charge (
	period INTEGER NOT NULL,
	bill_id VARCHAR(32) NOT NULL,
	line_no INTEGER NOT NULL,
	charge_no INTEGER NOT NULL,
	product_id VARCHAR(32) NOT NULL,
	event_id VARCHAR(40) NOT NULL,
	offering_code VARCHAR(40) NOT NULL,
	price_code VARCHAR(40) NOT NULL,
	price_version INTEGER NOT NULL,
	bundle_code VARCHAR(40) NULL,
	bundle_instance VARCHAR(40) NULL,
	charge_month INTEGER NOT NULL,
	kind VARCHAR(12) NOT NULL,
	rule_code VARCHAR(24) NOT NULL,
	from_on DATE NOT NULL,
	until_on DATE NOT NULL,
	price_micro_yuan BIGINT NOT NULL,
	numerator BIGINT NOT NULL,
	denominator BIGINT NOT NULL,
	share_per_mille SMALLINT NOT NULL,
	amount_micro_yuan BIGINT NOT NULL,
	CONSTRAINT pk_bill_charge PRIMARY KEY (period, bill_id, line_no, charge_no)
);
CREATE TABLE bill_line (
	period INTEGER NOT NULL,
	bill_id VARCHAR(32) NOT NULL,
	line_no INTEGER NOT NULL,
	kind VARCHAR(10) NOT NULL,
	product_id VARCHAR(32) NULL,
	product_no VARCHAR(40) NULL,
	service VARCHAR(20) NOT NULL,
	shown_as NVARCHAR(60) NULL,
	region VARCHAR(20) NULL,
	item_code VARCHAR(40) NOT NULL,
	item_group VARCHAR(20) NOT NULL,
	label NVARCHAR(80) NOT NULL,
	label_en NVARCHAR(80) NULL,
	offering_code VARCHAR(40) NULL,
	offering_label NVARCHAR(80) NULL,
	offering_en NVARCHAR(80) NULL,
	from_on DATE NOT NULL,
	until_on DATE NOT NULL,
	part_count BIGINT NOT NULL,
	quantity BIGINT NOT NULL,
	charge_micro_yuan BIGINT NOT NULL,
	amount_fen BIGINT NOT NULL,
	tax_per_mille SMALLINT NOT NULL,
	net_fen BIGINT NOT NULL,
	tax_fen BIGINT NOT NULL,
	netted_fen BIGINT NOT NULL,
	CONSTRAINT pk_bill_line PRIMARY KEY (period, bill_id, line_no)
);
CREATE TABLE bill_period (
	period INTEGER NOT NULL,
	state VARCHAR(10) NOT NULL,
	billing_since DATETIME2(6) NULL,
	closed_at DATETIME2(6) NULL,
	run_id VARCHAR(32) NULL,
	CONSTRAINT pk_bill_period PRIMARY KEY (period)
);
CREATE TABLE bill_run (
	period INTEGER NOT NULL,
	run_id VARCHAR(32) NOT NULL,
	state VARCHAR(12) NOT NULL,
	issued_on DATE NOT NULL,
	due_on DATE NOT NULL,
	began_at DATETIME2(6) NOT NULL,
	closed_at DATETIME2(6) NULL,
	began_by VARCHAR(20) NOT NULL,
	account_count BIGINT NOT NULL,
	bill_count BIGINT NOT NULL,
	aside_count BIGINT NOT NULL,
	total_fen BIGINT NOT NULL,
	billing_day SMALLINT NOT NULL DEFAULT '1',
	late_bill_on DATE NULL,
	accounts_per_min BIGINT NULL,
	paced_at DATETIME2(6) NULL,
	CONSTRAINT pk_bill_run PRIMARY KEY (period, run_id)
);
CREATE TABLE bill_run_chunk (
	period INTEGER NOT NULL,
	run_id VARCHAR(32) NOT NULL,
	chunk_no INTEGER NOT NULL,
	first_account VARCHAR(32) NOT NULL,
	until_account VARCHAR(32) NULL,
	next_account VARCHAR(32) NOT NULL,
	state VARCHAR(10) NOT NULL,
	worker VARCHAR(80) NULL,
	lease_until_at DATETIME2(6) NULL,
	account_count BIGINT NOT NULL,
	done_count BIGINT NOT NULL,
	bill_count BIGINT NOT NULL,
	aside_count BIGINT NOT NULL,
	total_fen BIGINT NOT NULL,
	CONSTRAINT pk_bill_run_chunk PRIMARY KEY (period, run_id, chunk_no)
);
CREATE TABLE billed_product (
	product_id VARCHAR(32) NOT NULL,
	product_no VARCHAR(40) NOT NULL,
	customer_id VARCHAR(32) NOT NULL,
	service VARCHAR(20) NOT NULL,
	shown_as NVARCHAR(60) NULL,
	region VARCHAR(20) NULL,
	source_seq BIGINT NOT NULL,
	CONSTRAINT pk_billed_product PRIMARY KEY (product_id)
);
CREATE INDEX ix_billed_product_customer_id ON billed_product (customer_id);
CREATE TABLE billing_account (
	account_id VARCHAR(32) NOT NULL,
	account_no VARCHAR(20) NOT NULL,
	customer_id VARCHAR(32) NOT NULL,
	payment_type VARCHAR(12) NOT NULL,
	credit_limit_fen BIGINT NOT NULL,
	standing VARCHAR(12) NOT NULL,
	owed_since_on DATE NULL,
	version INTEGER NOT NULL,
	held_by_run VARCHAR(32) NULL,
	settle_wanted SMALLINT NOT NULL,
	restricted SMALLINT NOT NULL,
	opened_at DATETIME2(6) NOT NULL,
	opened_hall VARCHAR(20) NULL,
	closed_at DATETIME2(6) NULL,
	CONSTRAINT pk_billing_account PRIMARY KEY (account_id),
	CONSTRAINT uq_billing_account_account_no UNIQUE (account_no)
);
CREATE INDEX ix_billing_account_customer_id ON billing_account (customer_id);
CREATE TABLE billing_event (
	product_id VARCHAR(32) NOT NULL,
	event_id VARCHAR(40) NOT NULL,
	seq_no INTEGER NOT NULL,
	kind VARCHAR(12) NOT NULL,
	effective_on DATE NOT NULL,
	offering_code VARCHAR(40) NOT NULL,
	price_version INTEGER NOT NULL,
	bundle_code VARCHAR(40) NULL,
	bundle_instance VARCHAR(40) NULL,
	heard_at DATETIME2(6) NOT NULL,
	source_seq BIGINT NOT NULL,
	reason VARCHAR(20) NULL,
	CONSTRAINT pk_billing_event PRIMARY KEY (product_id, event_id)
);
CREATE TABLE credit_account (
	account_id VARCHAR(32) NOT NULL,
	item_group VARCHAR(20) NOT NULL,
	held_micro_yuan BIGINT NOT NULL,
	unbooked_micro_yuan BIGINT NOT NULL,
	balance_state VARCHAR(12) NOT NULL,
	CONSTRAINT pk_credit_account PRIMARY KEY (account_id, item_group)
);
CREATE TABLE credit_cut (
	period INTEGER NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	item_group VARCHAR(20) NOT NULL,
	day_on DATE NOT NULL,
	book_id VARCHAR(32) NOT NULL,
	cut_fen BIGINT NOT NULL,
	debited_micro_yuan BIGINT NOT NULL,
	CONSTRAINT pk_credit_cut PRIMARY KEY (period, account_id, item_group, day_on, book_id)
);
CREATE TABLE credit_month (
	period INTEGER NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	item_group VARCHAR(20) NOT NULL,
	debited_micro_yuan BIGINT NOT NULL,
	cut_fen BIGINT NOT NULL,
	due SMALLINT NOT NULL,
	released SMALLINT NOT NULL,
	CONSTRAINT pk_credit_month PRIMARY KEY (period, account_id, item_group)
);
CREATE INDEX ix_credit_month_due ON credit_month (due);
CREATE TABLE credit_session (
	session_id VARCHAR(32) NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	product_id VARCHAR(32) NOT NULL,
	service VARCHAR(12) NOT NULL,
	access_key VARCHAR(64) NOT NULL,
	called VARCHAR(32) NULL,
	start_s BIGINT NOT NULL,
	state VARCHAR(8) NOT NULL,
	end_reason VARCHAR(12) NULL,
	request_no INTEGER NOT NULL,
	used_quantity BIGINT NOT NULL,
	granted_quantity BIGINT NOT NULL,
	held_micro_yuan BIGINT NOT NULL,
	debited_micro_yuan BIGINT NOT NULL,
	shortfall_micro_yuan BIGINT NOT NULL,
	period INTEGER NOT NULL,
	price_no BIGINT NOT NULL,
	draws NVARCHAR(max) NOT NULL,
	opened_at DATETIME2(6) NOT NULL,
	expires_at DATETIME2(6) NOT NULL,
	closed_at DATETIME2(6) NULL,
	CONSTRAINT pk_credit_session PRIMARY KEY (session_id)
);
CREATE INDEX ix_credit_session_account ON credit_session (account_id, state);
CREATE INDEX ix_credit_session_expiry ON credit_session (state, expires_at);
CREATE TABLE credit_used (
	period INTEGER NOT NULL,
	product_id VARCHAR(32) NOT NULL,
	allowance_key VARCHAR(64) NOT NULL,
	used_quantity BIGINT NOT NULL,
	CONSTRAINT pk_credit_used PRIMARY KEY (period, product_id, allowance_key)
);
CREATE TABLE data_key (
	key_no INTEGER NOT NULL,
	wrapped_key VARCHAR(200) NOT NULL,
	made_at DATETIME2(6) NOT NULL,
	retired_at DATETIME2(6) NULL,
	CONSTRAINT pk_data_key PRIMARY KEY (key_no)
);
CREATE TABLE day_allowance (
	staff_id VARCHAR(32) NOT NULL,
	day_on DATE NOT NULL,
	what VARCHAR(20) NOT NULL,
	used_fen BIGINT NOT NULL,
	act_count INTEGER NOT NULL,
	CONSTRAINT pk_day_allowance PRIMARY KEY (staff_id, day_on, what)
);
CREATE INDEX ix_day_allowance_day_on ON day_allowance (day_on);
CREATE TABLE debit_file (
	file_no VARCHAR(32) NOT NULL,
	bank_code VARCHAR(20) NOT NULL,
	state VARCHAR(10) NOT NULL,
	asked_on DATE NOT NULL,
	item_count INTEGER NOT NULL,
	total_fen BIGINT NOT NULL,
	made_by VARCHAR(32) NOT NULL,
	made_at DATETIME2(6) NOT NULL,
	answered_at DATETIME2(6) NULL,
	CONSTRAINT pk_debit_file PRIMARY KEY (file_no)
);
CREATE TABLE debit_item (
	file_no VARCHAR(32) NOT NULL,
	seq_no INTEGER NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	contract_no VARCHAR(40) NOT NULL,
	amount_fen BIGINT NOT NULL,
	bill_ids NVARCHAR(max) NOT NULL,
	state VARCHAR(12) NOT NULL,
	waiting_key VARCHAR(48) NOT NULL,
	result_code VARCHAR(20) NULL,
	payment_id VARCHAR(32) NULL,
	CONSTRAINT pk_debit_item PRIMARY KEY (file_no, seq_no),
	CONSTRAINT uq_debit_item_waiting_key UNIQUE (waiting_key)
);
CREATE INDEX ix_debit_item_account ON debit_item (account_id);
CREATE TABLE fact_aggregate (
	aggregate VARCHAR(80) NOT NULL,
	epoch INTEGER NOT NULL,
	last_seq BIGINT NOT NULL,
	epoch_first_seq BIGINT NOT NULL,
	CONSTRAINT pk_fact_aggregate PRIMARY KEY (aggregate)
);
CREATE TABLE fact_cursor (
	aggregate VARCHAR(80) NOT NULL,
	epoch INTEGER NOT NULL,
	seq BIGINT NOT NULL,
	CONSTRAINT pk_fact_cursor PRIMARY KEY (aggregate)
);
CREATE TABLE fact_difference (
	fact_id VARCHAR(32) NOT NULL,
	aggregate VARCHAR(80) NOT NULL,
	epoch INTEGER NOT NULL,
	seq BIGINT NOT NULL,
	kind VARCHAR(60) NOT NULL,
	found_at DATETIME2(6) NOT NULL,
	settled_at DATETIME2(6) NULL,
	remark NVARCHAR(200) NULL,
	CONSTRAINT pk_fact_difference PRIMARY KEY (fact_id)
);
CREATE TABLE fact_in (
	aggregate VARCHAR(80) NOT NULL,
	epoch INTEGER NOT NULL,
	seq BIGINT NOT NULL,
	fact_id VARCHAR(32) NOT NULL,
	kind VARCHAR(60) NOT NULL,
	applied_at DATETIME2(6) NOT NULL,
	skipped_reason NVARCHAR(200) NULL,
	CONSTRAINT pk_fact_in PRIMARY KEY (aggregate, epoch, seq)
);
CREATE TABLE fact_out (
	fact_id VARCHAR(32) NOT NULL,
	aggregate VARCHAR(80) NOT NULL,
	seq BIGINT NOT NULL,
	epoch INTEGER NOT NULL,
	epoch_first_seq BIGINT NOT NULL,
	lane_no INTEGER NOT NULL,
	kind VARCHAR(60) NOT NULL,
	version INTEGER NOT NULL,
	effective_at DATETIME2(6) NOT NULL,
	recorded_at DATETIME2(6) NOT NULL,
	act_id VARCHAR(32) NOT NULL,
	payload NVARCHAR(max) NOT NULL,
	CONSTRAINT pk_fact_out PRIMARY KEY (fact_id)
);
CREATE UNIQUE INDEX uq_fact_out_agg_seq ON fact_out (aggregate, seq, epoch);
CREATE TABLE fact_parked (
	aggregate VARCHAR(80) NOT NULL,
	epoch INTEGER NOT NULL,
	seq BIGINT NOT NULL,
	fact_id VARCHAR(32) NOT NULL,
	kind VARCHAR(60) NOT NULL,
	error NVARCHAR(500) NULL,
	attempts INTEGER NOT NULL,
	parked_at DATETIME2(6) NOT NULL,
	CONSTRAINT pk_fact_parked PRIMARY KEY (aggregate)
);
CREATE TABLE fact_pending (
	lane_no INTEGER NOT NULL,
	aggregate VARCHAR(80) NOT NULL,
	seq BIGINT NOT NULL,
	epoch INTEGER NOT NULL,
	fact_id VARCHAR(32) NOT NULL,
	CONSTRAINT pk_fact_pending PRIMARY KEY (lane_no, aggregate, epoch, seq)
);
CREATE TABLE giving_entry (
	act_id VARCHAR(32) NOT NULL,
	what VARCHAR(20) NOT NULL,
	staff_id VARCHAR(32) NOT NULL,
	day_on DATE NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	amount_fen BIGINT NOT NULL,
	approval_id VARCHAR(32) NULL,
	CONSTRAINT pk_giving_entry PRIMARY KEY (act_id, what)
);
CREATE INDEX ix_giving_entry_staff_day ON giving_entry (staff_id, day_on);
CREATE TABLE job (
	job_id VARCHAR(32) NOT NULL,
	kind VARCHAR(60) NOT NULL,
	state VARCHAR(20) NOT NULL,
	asked_at DATETIME2(6) NOT NULL,
	due_at DATETIME2(6) NOT NULL,
	begun_at DATETIME2(6) NULL,
	ended_at DATETIME2(6) NULL,
	worker VARCHAR(80) NULL,
	lease_until DATETIME2(6) NULL,
	attempts INTEGER NOT NULL,
	done_count BIGINT NOT NULL,
	total_count BIGINT NOT NULL,
	cancel_wanted SMALLINT NOT NULL,
	arguments NVARCHAR(max) NULL,
	state_kept NVARCHAR(max) NULL,
	outcome NVARCHAR(max) NULL,
	CONSTRAINT pk_job PRIMARY KEY (job_id)
);
CREATE INDEX ix_job_state_due_at ON job (state, due_at);
CREATE TABLE lane (
	lane_no INTEGER NOT NULL,
	worker VARCHAR(80) NULL,
	lease_until DATETIME2(6) NULL,
	CONSTRAINT pk_lane PRIMARY KEY (lane_no)
);
CREATE TABLE migration_link (
	system_code VARCHAR(20) NOT NULL,
	record_kind VARCHAR(12) NOT NULL,
	old_key NVARCHAR(80) NOT NULL,
	new_id VARCHAR(32) NOT NULL,
	amount_fen BIGINT NULL,
	digest VARCHAR(64) NOT NULL,
	CONSTRAINT pk_migration_link PRIMARY KEY (system_code, record_kind, old_key)
);
CREATE INDEX ix_migration_link_new_id ON migration_link (new_id);
CREATE TABLE number_counter (
	counter_name VARCHAR(80) NOT NULL,
	next_value BIGINT NOT NULL,
	CONSTRAINT pk_number_counter PRIMARY KEY (counter_name)
);
CREATE TABLE pay_relation (
	product_id VARCHAR(32) NOT NULL,
	item_group VARCHAR(20) NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	from_on DATE NOT NULL,
	until_on DATE NULL,
	priority INTEGER NOT NULL,
	source_seq BIGINT NOT NULL,
	CONSTRAINT pk_pay_relation PRIMARY KEY (product_id, item_group, account_id, from_on)
);
CREATE INDEX ix_pay_relation_account_id ON pay_relation (account_id);
CREATE TABLE payer (
	customer_id VARCHAR(32) NOT NULL,
	customer_no VARCHAR(20) NOT NULL,
	customer_class VARCHAR(20) NOT NULL,
	sealed_name VARCHAR(1000) NULL,
	sealed_address VARCHAR(2000) NULL,
	sealed_tax_no VARCHAR(400) NULL,
	sealed_contact VARCHAR(1000) NULL,
	source_seq BIGINT NOT NULL,
	heard_at DATETIME2(6) NOT NULL,
	CONSTRAINT pk_payer PRIMARY KEY (customer_id)
);
CREATE TABLE posting (
	period INTEGER NOT NULL,
	act_id VARCHAR(32) NOT NULL,
	line_no INTEGER NOT NULL,
	booked_on DATE NOT NULL,
	from_code VARCHAR(12) NOT NULL,
	from_owner VARCHAR(40) NOT NULL,
	to_code VARCHAR(12) NOT NULL,
	to_owner VARCHAR(40) NOT NULL,
	amount_fen BIGINT NOT NULL,
	ref_id VARCHAR(40) NULL,
	reverses_period INTEGER NULL,
	reverses_act_id VARCHAR(32) NULL,
	reverses_line_no INTEGER NULL,
	reason NVARCHAR(200) NULL,
	CONSTRAINT pk_posting PRIMARY KEY (period, act_id, line_no),
	CONSTRAINT ck_posting_amount CHECK (amount_fen > 0)
);
CREATE TABLE posting_mirror (
	period INTEGER NOT NULL,
	act_id VARCHAR(32) NOT NULL,
	line_no INTEGER NOT NULL,
	mirror_act_id VARCHAR(32) NOT NULL,
	CONSTRAINT pk_posting_mirror PRIMARY KEY (period, act_id, line_no)
);
CREATE INDEX ix_posting_mirror_act_id ON posting_mirror (mirror_act_id);
CREATE TABLE rated_change (
	period INTEGER NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	usage_id BIGINT NOT NULL,
	product_id VARCHAR(32) NOT NULL,
	item_code VARCHAR(24) NOT NULL,
	for_month INTEGER NOT NULL,
	rated_account_id VARCHAR(32) NOT NULL,
	was_micro_yuan BIGINT NOT NULL,
	now_micro_yuan BIGINT NOT NULL,
	price_no BIGINT NULL,
	quantity BIGINT NOT NULL,
	covered BIGINT NOT NULL,
	units BIGINT NOT NULL,
	rerate_id VARCHAR(32) NOT NULL,
	CONSTRAINT pk_rated_change PRIMARY KEY (period, account_id, usage_id, product_id, item_code)
);
CREATE TABLE rated_step (
	period INTEGER NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	usage_id BIGINT NOT NULL,
	step_no SMALLINT NOT NULL,
	kind VARCHAR(32) NOT NULL,
	quantity BIGINT NOT NULL,
	price_micro_yuan BIGINT NOT NULL,
	amount_micro_yuan BIGINT NOT NULL,
	CONSTRAINT pk_rated_step PRIMARY KEY (period, account_id, usage_id, step_no)
);
CREATE TABLE rated_usage (
	period INTEGER NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	usage_id BIGINT NOT NULL,
	product_id VARCHAR(32) NOT NULL,
	price_no BIGINT NOT NULL,
	item_code VARCHAR(24) NOT NULL,
	zone_code VARCHAR(12) NOT NULL,
	start_s BIGINT NOT NULL,
	duration_s BIGINT NOT NULL,
	quantity BIGINT NOT NULL,
	units BIGINT NOT NULL,
	covered BIGINT NOT NULL,
	charge_micro_yuan BIGINT NOT NULL,
	peer_no VARCHAR(32) NULL,
	call_type SMALLINT NOT NULL,
	file_no BIGINT NOT NULL,
	file_pos BIGINT NOT NULL,
	owner_key VARCHAR(64) NULL,
	octets BIGINT NULL,
	CONSTRAINT pk_rated_usage PRIMARY KEY (period, account_id, usage_id)
);
CREATE TABLE rating_calendar (
	calendar_code VARCHAR(40) NOT NULL,
	day_on DATE NOT NULL,
	kind VARCHAR(8) NOT NULL,
	day_name NVARCHAR(40) NULL,
	imported_at DATETIME2(6) NOT NULL,
	CONSTRAINT pk_rating_calendar PRIMARY KEY (calendar_code, day_on)
);
CREATE TABLE rating_deck (
	deck_no BIGINT NOT NULL IDENTITY(1,1),
	deck_code VARCHAR(40) NOT NULL,
	effective_on DATE NOT NULL,
	digest VARCHAR(64) NOT NULL,
	line_count BIGINT NOT NULL,
	imported_at DATETIME2(6) NOT NULL,
	CONSTRAINT pk_rating_deck PRIMARY KEY (deck_no),
	CONSTRAINT uq_rating_deck_version UNIQUE (deck_code, effective_on, digest)
);
CREATE TABLE rating_deck_part (
	deck_no BIGINT NOT NULL,
	part_no INTEGER NOT NULL,
	content VARBINARY(max) NOT NULL,
	CONSTRAINT pk_rating_deck_part PRIMARY KEY (deck_no, part_no)
);
CREATE TABLE rating_due (
	period INTEGER NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	product_id VARCHAR(32) NOT NULL,
	dealing SMALLINT NOT NULL DEFAULT '0',
	CONSTRAINT pk_rating_due PRIMARY KEY (period, account_id, product_id)
);
CREATE TABLE rating_price_book (
	book_version INTEGER NOT NULL,
	row_count INTEGER NULL,
	digest VARCHAR(64) NULL,
	effective_on DATE NULL,
	live SMALLINT NOT NULL,
	heard_at DATETIME2(6) NOT NULL,
	CONSTRAINT pk_rating_price_book PRIMARY KEY (book_version)
);
CREATE TABLE rating_price_part (
	book_version INTEGER NOT NULL,
	part_no INTEGER NOT NULL,
	document NVARCHAR(max) NOT NULL,
	CONSTRAINT pk_rating_price_part PRIMARY KEY (book_version, part_no)
);
CREATE TABLE rating_product (
	product_id VARCHAR(32) NOT NULL,
	from_on DATE NOT NULL,
	until_on DATE NULL,
	service VARCHAR(20) NOT NULL,
	offering_code VARCHAR(40) NOT NULL,
	bundle_code VARCHAR(40) NULL,
	book_version INTEGER NOT NULL,
	source_seq BIGINT NOT NULL,
	CONSTRAINT pk_rating_product PRIMARY KEY (product_id, from_on)
);
CREATE INDEX ix_rating_product_offering ON rating_product (offering_code);
CREATE TABLE rating_tariff (
	version_no BIGINT NOT NULL IDENTITY(1,1),
	tariff_code VARCHAR(40) NOT NULL,
	effective_on DATE NOT NULL,
	digest VARCHAR(64) NOT NULL,
	document NVARCHAR(max) NOT NULL,
	imported_at DATETIME2(6) NOT NULL,
	CONSTRAINT pk_rating_tariff PRIMARY KEY (version_no),
	CONSTRAINT uq_rating_tariff_version UNIQUE (tariff_code, effective_on, digest)
);
CREATE TABLE rerate (
	rerate_id VARCHAR(32) NOT NULL,
	state VARCHAR(12) NOT NULL,
	from_on DATE NOT NULL,
	until_on DATE NOT NULL,
	tariff_code VARCHAR(40) NULL,
	account_id VARCHAR(32) NULL,
	reason NVARCHAR(200) NOT NULL,
	staff_id VARCHAR(32) NULL,
	asked_at DATETIME2(6) NOT NULL,
	done_at DATETIME2(6) NULL,
	at_month INTEGER NOT NULL,
	at_account VARCHAR(32) NULL,
	call_count BIGINT NOT NULL,
	changed_count BIGINT NOT NULL,
	moved_count BIGINT NOT NULL,
	was_micro_yuan BIGINT NOT NULL,
	now_micro_yuan BIGINT NOT NULL,
	CONSTRAINT pk_rerate PRIMARY KEY (rerate_id)
);
CREATE TABLE side (
	role VARCHAR(20) NOT NULL,
	epoch INTEGER NOT NULL,
	epoch_since DATETIME2(6) NOT NULL,
	CONSTRAINT pk_side PRIMARY KEY (role)
);
CREATE TABLE till_session (
	till_id VARCHAR(32) NOT NULL,
	hall_code VARCHAR(20) NOT NULL,
	district_code VARCHAR(20) NOT NULL,
	counter_no VARCHAR(20) NOT NULL,
	staff_id VARCHAR(32) NOT NULL,
	staff_no VARCHAR(20) NOT NULL,
	staff_name NVARCHAR(60) NULL,
	state VARCHAR(12) NOT NULL,
	counter_key VARCHAR(60) NOT NULL,
	staff_key VARCHAR(60) NOT NULL,
	business_on DATE NOT NULL,
	opened_at DATETIME2(6) NOT NULL,
	float_fen BIGINT NOT NULL,
	count_no INTEGER NOT NULL,
	counted_fen BIGINT NULL,
	difference_fen BIGINT NULL,
	counted_at DATETIME2(6) NULL,
	closed_at DATETIME2(6) NULL,
	closed_by VARCHAR(32) NULL,
	deposited_fen BIGINT NULL,
	deposited_at DATETIME2(6) NULL,
	remark NVARCHAR(200) NULL,
	CONSTRAINT pk_till_session PRIMARY KEY (till_id),
	CONSTRAINT uq_till_session_counter_key UNIQUE (counter_key),
	CONSTRAINT uq_till_session_staff_key UNIQUE (staff_key)
);
CREATE INDEX ix_till_session_scope ON till_session (hall_code, business_on);
CREATE TABLE usage_access (
	kind VARCHAR(12) NOT NULL,
	access_key VARCHAR(64) NOT NULL,
	product_id VARCHAR(32) NOT NULL,
	from_at DATETIME2(6) NOT NULL,
	until_at DATETIME2(6) NULL,
	source_seq BIGINT NOT NULL,
	CONSTRAINT pk_usage_access PRIMARY KEY (kind, access_key, product_id, from_at)
);
CREATE INDEX ix_usage_access_product_id ON usage_access (product_id);
CREATE TABLE usage_agreement (
	version_no BIGINT NOT NULL IDENTITY(1,1),
	digest VARCHAR(64) NOT NULL,
	document NVARCHAR(max) NOT NULL,
	imported_at DATETIME2(6) NOT NULL,
	CONSTRAINT pk_usage_agreement PRIMARY KEY (version_no),
	CONSTRAINT uq_usage_agreement_digest UNIQUE (digest)
);
CREATE TABLE usage_cut (
	cut_no BIGINT NOT NULL IDENTITY(1,1),
	slice_count INTEGER NOT NULL,
	state VARCHAR(12) NOT NULL,
	made_at DATETIME2(6) NOT NULL,
	CONSTRAINT pk_usage_cut PRIMARY KEY (cut_no)
);
CREATE TABLE usage_file (
	file_no BIGINT NOT NULL IDENTITY(1,1),
	sha256 VARCHAR(64) NOT NULL,
	file_name NVARCHAR(200) NULL,
	format_code VARCHAR(24) NOT NULL,
	switch_code VARCHAR(24) NOT NULL,
	byte_count BIGINT NOT NULL,
	state VARCHAR(12) NOT NULL,
	piece_count INTEGER NOT NULL,
	pieces_done INTEGER NOT NULL,
	lines_done BIGINT NOT NULL,
	record_count BIGINT NOT NULL,
	joined_count BIGINT NOT NULL,
	read_count BIGINT NOT NULL,
	accepted_count BIGINT NOT NULL,
	traffic_count BIGINT NOT NULL DEFAULT '0',
	rejected_count BIGINT NOT NULL,
	duplicate_count BIGINT NOT NULL,
	charge_micro_yuan BIGINT NOT NULL,
	registered_at DATETIME2(6) NOT NULL,
	done_at DATETIME2(6) NULL,
	worker VARCHAR(80) NULL,
	lease_until_at DATETIME2(6) NULL,
	CONSTRAINT pk_usage_file PRIMARY KEY (file_no),
	CONSTRAINT uq_usage_file_sha256 UNIQUE (sha256)
);
CREATE TABLE usage_pool (
	period INTEGER NOT NULL,
	file_no BIGINT NOT NULL,
	file_pos BIGINT NOT NULL,
	reason VARCHAR(24) NOT NULL,
	state VARCHAR(12) NOT NULL,
	service VARCHAR(12) NOT NULL,
	owner_key VARCHAR(64) NOT NULL,
	usage_id BIGINT NULL,
	seq_no BIGINT NULL,
	caller VARCHAR(32) NULL,
	called VARCHAR(32) NULL,
	called_15 BIGINT NULL,
	start_s BIGINT NULL,
	duration_s BIGINT NULL,
	octets_in BIGINT NULL,
	octets_out BIGINT NULL,
	in_trunk INTEGER NULL,
	out_trunk INTEGER NULL,
	call_type SMALLINT NULL,
	charged_party SMALLINT NULL,
	free_flag SMALLINT NULL,
	cause SMALLINT NULL,
	partial_no SMALLINT NULL,
	raw_record NVARCHAR(max) NULL,
	CONSTRAINT pk_usage_pool PRIMARY KEY (period, file_no, file_pos)
);
CREATE INDEX ix_usage_pool_state_owner_key ON usage_pool (state, owner_key);
CREATE TABLE usage_seen (
	period INTEGER NOT NULL,
	file_no BIGINT NOT NULL,
	piece_no INTEGER NOT NULL,
	turn_no INTEGER NOT NULL,
	identities VARBINARY(max) NOT NULL,
	CONSTRAINT pk_usage_seen PRIMARY KEY (period, file_no, piece_no, turn_no)
);
CREATE TABLE usage_session (
	session_key VARCHAR(64) NOT NULL,
	run_no INTEGER NOT NULL,
	nas_code VARCHAR(64) NOT NULL,
	session_id NVARCHAR(128) NOT NULL,
	login NVARCHAR(64) NULL,
	address VARCHAR(45) NULL,
	state VARCHAR(12) NOT NULL,
	closed_by VARCHAR(12) NULL,
	cause SMALLINT NULL,
	start_s BIGINT NOT NULL,
	last_s BIGINT NOT NULL,
	duration_s BIGINT NOT NULL,
	octets_in BIGINT NOT NULL,
	octets_out BIGINT NOT NULL,
	cut_duration_s BIGINT NOT NULL,
	cut_octets_in BIGINT NOT NULL,
	cut_octets_out BIGINT NOT NULL,
	slice_count INTEGER NOT NULL,
	message_count INTEGER NOT NULL,
	heard_at DATETIME2(6) NOT NULL,
	CONSTRAINT pk_usage_session PRIMARY KEY (session_key, run_no)
);
CREATE INDEX ix_usage_session_state_last_s ON usage_session (state, last_s);
CREATE TABLE usage_slice (
	cut_no BIGINT NOT NULL,
	slice_no INTEGER NOT NULL,
	session_key VARCHAR(64) NOT NULL,
	run_no INTEGER NOT NULL,
	session_name VARCHAR(64) NOT NULL,
	login NVARCHAR(64) NULL,
	address VARCHAR(45) NULL,
	start_s BIGINT NOT NULL,
	duration_s BIGINT NOT NULL,
	octets_in BIGINT NOT NULL,
	octets_out BIGINT NOT NULL,
	CONSTRAINT pk_usage_slice PRIMARY KEY (cut_no, slice_no)
);
CREATE TABLE usage_span (
	period INTEGER NOT NULL,
	file_no BIGINT NOT NULL,
	piece_no INTEGER NOT NULL,
	low_id BIGINT NOT NULL,
	high_id BIGINT NOT NULL,
	CONSTRAINT pk_usage_span PRIMARY KEY (period, file_no, piece_no)
);
CREATE TABLE usage_traffic (
	period INTEGER NOT NULL,
	file_no BIGINT NOT NULL,
	piece_no INTEGER NOT NULL,
	hour_no INTEGER NOT NULL,
	trunk_no INTEGER NOT NULL,
	direction SMALLINT NOT NULL,
	call_type SMALLINT NOT NULL,
	call_count BIGINT NOT NULL,
	answered_count BIGINT NOT NULL,
	talked_s BIGINT NOT NULL,
	minute_count BIGINT NOT NULL,
	six_second_count BIGINT NOT NULL,
	held_s BIGINT NOT NULL,
	CONSTRAINT pk_usage_traffic PRIMARY KEY (period, file_no, piece_no, hour_no, trunk_no, direction, call_type)
);
CREATE TABLE balance_book (
	book_id VARCHAR(32) NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	book_type VARCHAR(12) NOT NULL,
	item_group VARCHAR(40) NOT NULL,
	spend_order INTEGER NOT NULL,
	from_on DATE NOT NULL,
	until_on DATE NULL,
	in_fen BIGINT NOT NULL,
	out_fen BIGINT NOT NULL,
	opened_at DATETIME2(6) NOT NULL,
	CONSTRAINT pk_balance_book PRIMARY KEY (book_id),
	CONSTRAINT fk_balance_book_account_id FOREIGN KEY(account_id) REFERENCES billing_account (account_id)
);
CREATE INDEX ix_balance_book_account_id ON balance_book (account_id);
CREATE TABLE balance_transfer (
	transfer_id VARCHAR(32) NOT NULL,
	from_account_id VARCHAR(32) NOT NULL,
	from_book_id VARCHAR(32) NOT NULL,
	to_account_id VARCHAR(32) NOT NULL,
	to_book_id VARCHAR(32) NOT NULL,
	amount_fen BIGINT NOT NULL,
	reason NVARCHAR(200) NOT NULL,
	approval_id VARCHAR(32) NULL,
	receipt_no VARCHAR(40) NULL,
	hall_code VARCHAR(20) NOT NULL,
	staff_id VARCHAR(32) NOT NULL,
	moved_on DATE NOT NULL,
	act_id VARCHAR(32) NOT NULL,
	CONSTRAINT pk_balance_transfer PRIMARY KEY (transfer_id),
	CONSTRAINT fk_balance_transfer_from FOREIGN KEY(from_account_id) REFERENCES billing_account (account_id),
	CONSTRAINT fk_balance_transfer_to FOREIGN KEY(to_account_id) REFERENCES billing_account (account_id)
);
CREATE INDEX ix_balance_transfer_from ON balance_transfer (from_account_id);
CREATE INDEX ix_balance_transfer_to ON balance_transfer (to_account_id);
CREATE TABLE bank_debit_contract (
	contract_id VARCHAR(32) NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	contract_no VARCHAR(40) NOT NULL,
	live_key VARCHAR(32) NOT NULL,
	bank_code VARCHAR(20) NOT NULL,
	sealed_bank_account VARCHAR(400) NOT NULL,
	sealed_holder VARCHAR(1000) NOT NULL,
	bank_account_tail VARCHAR(4) NOT NULL,
	state VARCHAR(12) NOT NULL,
	from_on DATE NOT NULL,
	until_on DATE NULL,
	largest_fen BIGINT NULL,
	reason NVARCHAR(200) NULL,
	opened_by VARCHAR(32) NOT NULL,
	opened_at DATETIME2(6) NOT NULL,
	ended_by VARCHAR(32) NULL,
	ended_at DATETIME2(6) NULL,
	CONSTRAINT pk_bank_debit_contract PRIMARY KEY (contract_id),
	CONSTRAINT uq_bank_debit_live UNIQUE (live_key),
	CONSTRAINT fk_bank_debit_account FOREIGN KEY(account_id) REFERENCES billing_account (account_id)
);
CREATE INDEX ix_bank_debit_account ON bank_debit_contract (account_id);
CREATE TABLE deposit_slip (
	slip_id VARCHAR(32) NOT NULL,
	till_id VARCHAR(32) NOT NULL,
	hall_code VARCHAR(20) NOT NULL,
	district_code VARCHAR(20) NOT NULL,
	amount_fen BIGINT NOT NULL,
	bank_name NVARCHAR(60) NULL,
	bank_slip_no VARCHAR(40) NULL,
	receipt_no VARCHAR(40) NOT NULL,
	deposited_at DATETIME2(6) NOT NULL,
	staff_id VARCHAR(32) NOT NULL,
	CONSTRAINT pk_deposit_slip PRIMARY KEY (slip_id),
	CONSTRAINT fk_deposit_slip_till_id FOREIGN KEY(till_id) REFERENCES till_session (till_id)
);
CREATE INDEX ix_deposit_slip_till_id ON deposit_slip (till_id);
CREATE TABLE fapiao (
	fapiao_id VARCHAR(32) NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	type_code VARCHAR(4) NOT NULL,
	state VARCHAR(12) NOT NULL,
	fapiao_no VARCHAR(20) NULL,
	number_key VARCHAR(32) NOT NULL,
	red_of_id VARCHAR(32) NULL,
	red_reason VARCHAR(4) NULL,
	confirmation_no VARCHAR(40) NULL,
	sealed_buyer VARCHAR(4000) NOT NULL,
	amount_fen BIGINT NOT NULL,
	net_fen BIGINT NOT NULL,
	tax_fen BIGINT NOT NULL,
	about VARCHAR(40) NULL,
	intended_at DATETIME2(6) NOT NULL,
	sent_at DATETIME2(6) NULL,
	issued_at DATETIME2(6) NULL,
	next_at DATETIME2(6) NOT NULL,
	try_count INTEGER NOT NULL,
	problem NVARCHAR(200) NULL,
	pdf_url VARCHAR(400) NULL,
	ofd_url VARCHAR(400) NULL,
	xml_url VARCHAR(400) NULL,
	copy_count INTEGER NOT NULL,
	resolved_by VARCHAR(32) NULL,
	reason NVARCHAR(200) NULL,
	act_id VARCHAR(32) NOT NULL,
	staff_id VARCHAR(32) NOT NULL,
	staff_no VARCHAR(20) NOT NULL,
	hall_code VARCHAR(20) NOT NULL,
	district_code VARCHAR(20) NOT NULL,
	CONSTRAINT pk_fapiao PRIMARY KEY (fapiao_id),
	CONSTRAINT fk_fapiao_account_id FOREIGN KEY(account_id) REFERENCES billing_account (account_id),
	CONSTRAINT uq_fapiao_number_key UNIQUE (number_key)
);
CREATE INDEX ix_fapiao_account_id ON fapiao (account_id);
CREATE INDEX ix_fapiao_due ON fapiao (state, next_at);
CREATE INDEX ix_fapiao_red_of_id ON fapiao (red_of_id);
CREATE TABLE payment_intent (
	intent_id VARCHAR(32) NOT NULL,
	rail VARCHAR(12) NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	till_id VARCHAR(32) NOT NULL,
	hall_code VARCHAR(20) NOT NULL,
	district_code VARCHAR(20) NOT NULL,
	amount_fen BIGINT NOT NULL,
	state VARCHAR(12) NOT NULL,
	trace_no VARCHAR(60) NOT NULL,
	rail_message NVARCHAR(200) NULL,
	intended_at DATETIME2(6) NOT NULL,
	resolved_at DATETIME2(6) NULL,
	resolved_by VARCHAR(32) NULL,
	act_id VARCHAR(32) NOT NULL,
	CONSTRAINT pk_payment_intent PRIMARY KEY (intent_id),
	CONSTRAINT uq_payment_intent_trace UNIQUE (rail, trace_no),
	CONSTRAINT fk_payment_intent_account_id FOREIGN KEY(account_id) REFERENCES billing_account (account_id),
	CONSTRAINT fk_payment_intent_till_id FOREIGN KEY(till_id) REFERENCES till_session (till_id)
);
CREATE INDEX ix_payment_intent_account_id ON payment_intent (account_id);
CREATE INDEX ix_payment_intent_till_id ON payment_intent (till_id);
CREATE TABLE receipt (
	receipt_no VARCHAR(40) NOT NULL,
	hall_code VARCHAR(20) NOT NULL,
	district_code VARCHAR(20) NOT NULL,
	counter_no VARCHAR(20) NOT NULL,
	seq_no BIGINT NOT NULL,
	kind VARCHAR(20) NOT NULL,
	till_id VARCHAR(32) NOT NULL,
	account_id VARCHAR(32) NULL,
	payment_id VARCHAR(32) NULL,
	staff_id VARCHAR(32) NOT NULL,
	total_fen BIGINT NOT NULL,
	issued_at DATETIME2(6) NOT NULL,
	copy_count INTEGER NOT NULL,
	act_id VARCHAR(32) NOT NULL,
	document NVARCHAR(max) NOT NULL,
	CONSTRAINT pk_receipt PRIMARY KEY (receipt_no),
	CONSTRAINT uq_receipt_counter_seq UNIQUE (hall_code, counter_no, seq_no),
	CONSTRAINT fk_receipt_till_id FOREIGN KEY(till_id) REFERENCES till_session (till_id)
);
CREATE INDEX ix_receipt_account_id ON receipt (account_id);
CREATE INDEX ix_receipt_till_id ON receipt (till_id);
CREATE TABLE till_audit (
	till_id VARCHAR(32) NOT NULL,
	level_no INTEGER NOT NULL,
	amount_fen BIGINT NOT NULL,
	remark NVARCHAR(200) NULL,
	staff_id VARCHAR(32) NOT NULL,
	staff_no VARCHAR(20) NOT NULL,
	audited_at DATETIME2(6) NOT NULL,
	act_id VARCHAR(32) NOT NULL,
	CONSTRAINT pk_till_audit PRIMARY KEY (till_id, level_no),
	CONSTRAINT fk_till_audit_till_id FOREIGN KEY(till_id) REFERENCES till_session (till_id)
);
CREATE TABLE till_count (
	till_id VARCHAR(32) NOT NULL,
	count_no INTEGER NOT NULL,
	value_fen INTEGER NOT NULL,
	pieces INTEGER NOT NULL,
	act_id VARCHAR(32) NOT NULL,
	CONSTRAINT pk_till_count PRIMARY KEY (till_id, count_no, value_fen),
	CONSTRAINT fk_till_count_till_id FOREIGN KEY(till_id) REFERENCES till_session (till_id)
);
CREATE TABLE till_entry (
	till_id VARCHAR(32) NOT NULL,
	act_id VARCHAR(32) NOT NULL,
	line_no INTEGER NOT NULL,
	item VARCHAR(12) NOT NULL,
	method VARCHAR(12) NOT NULL,
	amount_fen BIGINT NOT NULL,
	payment_id VARCHAR(32) NULL,
	occurred_at DATETIME2(6) NOT NULL,
	CONSTRAINT pk_till_entry PRIMARY KEY (till_id, act_id, line_no),
	CONSTRAINT fk_till_entry_till_id FOREIGN KEY(till_id) REFERENCES till_session (till_id)
);
CREATE TABLE account_deposit (
	deposit_id VARCHAR(32) NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	book_id VARCHAR(32) NOT NULL,
	product_id VARCHAR(32) NULL,
	purpose NVARCHAR(60) NOT NULL,
	state VARCHAR(16) NOT NULL,
	amount_fen BIGINT NOT NULL,
	returned_fen BIGINT NOT NULL,
	forfeited_fen BIGINT NOT NULL,
	receipt_no VARCHAR(40) NOT NULL,
	hall_code VARCHAR(20) NOT NULL,
	district_code VARCHAR(20) NOT NULL,
	staff_id VARCHAR(32) NOT NULL,
	taken_at DATETIME2(6) NOT NULL,
	ended_at DATETIME2(6) NULL,
	act_id VARCHAR(32) NOT NULL,
	CONSTRAINT pk_account_deposit PRIMARY KEY (deposit_id),
	CONSTRAINT fk_account_deposit_account_id FOREIGN KEY(account_id) REFERENCES billing_account (account_id),
	CONSTRAINT uq_account_deposit_book_id UNIQUE (book_id),
	CONSTRAINT fk_account_deposit_book_id FOREIGN KEY(book_id) REFERENCES balance_book (book_id)
);
CREATE INDEX ix_account_deposit_account_id ON account_deposit (account_id);
CREATE TABLE fapiao_line (
	fapiao_id VARCHAR(32) NOT NULL,
	line_no INTEGER NOT NULL,
	period INTEGER NOT NULL,
	bill_id VARCHAR(32) NOT NULL,
	bill_line_no INTEGER NOT NULL,
	item_code VARCHAR(40) NOT NULL,
	label NVARCHAR(80) NOT NULL,
	tax_per_mille SMALLINT NOT NULL,
	amount_fen BIGINT NOT NULL,
	net_fen BIGINT NOT NULL,
	tax_fen BIGINT NOT NULL,
	CONSTRAINT pk_fapiao_line PRIMARY KEY (fapiao_id, line_no),
	CONSTRAINT fk_fapiao_line_fapiao_id FOREIGN KEY(fapiao_id) REFERENCES fapiao (fapiao_id)
);
CREATE INDEX ix_fapiao_line_bill ON fapiao_line (bill_id, bill_line_no);
CREATE TABLE fapiao_word (
	fapiao_id VARCHAR(32) NOT NULL,
	word_no INTEGER NOT NULL,
	asked VARCHAR(12) NOT NULL,
	outcome VARCHAR(12) NOT NULL,
	code VARCHAR(40) NULL,
	remark NVARCHAR(200) NULL,
	said_on DATE NOT NULL,
	said_at DATETIME2(6) NOT NULL,
	CONSTRAINT pk_fapiao_word PRIMARY KEY (fapiao_id, word_no),
	CONSTRAINT fk_fapiao_word_fapiao_id FOREIGN KEY(fapiao_id) REFERENCES fapiao (fapiao_id)
);
CREATE TABLE payment (
	payment_id VARCHAR(32) NOT NULL,
	kind VARCHAR(12) NOT NULL,
	state VARCHAR(12) NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	book_id VARCHAR(32) NOT NULL,
	till_id VARCHAR(32) NOT NULL,
	hall_code VARCHAR(20) NOT NULL,
	district_code VARCHAR(20) NOT NULL,
	counter_no VARCHAR(20) NOT NULL,
	staff_id VARCHAR(32) NOT NULL,
	staff_no VARCHAR(20) NOT NULL,
	method VARCHAR(12) NOT NULL,
	amount_fen BIGINT NOT NULL,
	applied_fen BIGINT NOT NULL,
	advance_fen BIGINT NOT NULL,
	received_fen BIGINT NOT NULL,
	change_fen BIGINT NOT NULL,
	receipt_no VARCHAR(40) NOT NULL,
	paid_at DATETIME2(6) NOT NULL,
	act_id VARCHAR(32) NOT NULL,
	reverses_id VARCHAR(32) NULL,
	reversed_by_id VARCHAR(32) NULL,
	trace_no VARCHAR(60) NULL,
	remark NVARCHAR(200) NULL,
	CONSTRAINT pk_payment PRIMARY KEY (payment_id),
	CONSTRAINT fk_payment_account_id FOREIGN KEY(account_id) REFERENCES billing_account (account_id),
	CONSTRAINT fk_payment_book_id FOREIGN KEY(book_id) REFERENCES balance_book (book_id),
	CONSTRAINT fk_payment_till_id FOREIGN KEY(till_id) REFERENCES till_session (till_id),
	CONSTRAINT uq_payment_receipt_no UNIQUE (receipt_no)
);
CREATE INDEX ix_payment_account_paid_at ON payment (account_id, paid_at);
CREATE INDEX ix_payment_book_id ON payment (book_id);
CREATE INDEX ix_payment_till_id ON payment (till_id);
CREATE TABLE deposit_move (
	deposit_id VARCHAR(32) NOT NULL,
	act_id VARCHAR(32) NOT NULL,
	kind VARCHAR(12) NOT NULL,
	amount_fen BIGINT NOT NULL,
	reason NVARCHAR(200) NOT NULL,
	approval_id VARCHAR(32) NULL,
	receipt_no VARCHAR(40) NULL,
	staff_id VARCHAR(32) NOT NULL,
	moved_on DATE NOT NULL,
	CONSTRAINT pk_deposit_move PRIMARY KEY (deposit_id, act_id),
	CONSTRAINT fk_deposit_move_deposit_id FOREIGN KEY(deposit_id) REFERENCES account_deposit (deposit_id)
);
